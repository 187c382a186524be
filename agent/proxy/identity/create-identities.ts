/** Identities put together: the manager, the authority's client, and requests. Large libraries load at the first use. */
import type { Timers } from '../control/timers.js';
import type { ProcessLog } from '../start/process-log.js';
import { type IdentityEvents, IdentityManager, type IdentityManagerParts } from './identity-manager.js';
import { VaultWindow } from './vault-window.js';

export interface IdentitiesParts {
  /** As grpc-js takes it. */
  readonly controller: string;
  readonly node: string;
  readonly vault: IdentityManagerParts['vault'];
  readonly events: IdentityEvents;
  readonly timers: Timers;
  readonly random: () => number;
  readonly log: ProcessLog;
}

export interface Identities {
  readonly manager: IdentityManager;
  /** Must be told when capture answers, and when it has come anew. */
  readonly vault: VaultWindow;
  close(): void;
}

export function createIdentities({
  controller,
  node,
  vault,
  events,
  timers,
  random,
  log,
}: IdentitiesParts): Identities {
  const window = new VaultWindow(vault);
  let closed = false;
  const connect = async () => {
    const { IdentityClient } = await import('./identity-client.js');
    const connected = new IdentityClient({
      address: controller,
      node,
      timers,
      random,
      log,
      onBundle: (roots) => manager.takeBundle(roots),
    });
    if (closed) connected.close();
    else connected.watch();
    return connected;
  };
  const manager: IdentityManager = new IdentityManager({
    makeRequest: async (spiffeId) => (await import('./make-request.js')).makeRequest(spiffeId),
    issue: async (workload, csr) => (await client).issue(workload, csr),
    vault: window,
    events,
    timers,
    wallClock: Date.now,
    random,
    log,
  });
  // The bundle is followed also where every identity came out of the vault.
  const client = connect();
  client.catch((error: unknown) =>
    log('error', 'the certificate authority cannot be asked', { error: String(error) }),
  );
  return {
    manager,
    vault: window,
    close: () => {
      closed = true;
      manager.close();
      client.then(
        (connected) => connected.close(),
        () => {},
      );
    },
  };
}
