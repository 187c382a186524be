/** Identities put together: managers, the clients of the authority, the vault. Large libraries load at the first use. */
import { nodeSecretName } from '../../handover/messages.js';
import type { ConfigChannel } from '../control/config-channel.js';
import { type ControllerAccess, socketAccess } from '../control/controller-access.js';
import type { Timers } from '../control/timers.js';
import type { ControllerFlags } from '../start/parse-flags.js';
import type { ProcessLog } from '../start/process-log.js';
import { ControllerClock } from './controller-clock.js';
import {
  type IdentityEvents,
  IdentityManager,
  type IdentityManagerParts,
  type IdentityStatus,
} from './identity-manager.js';
import { NodeMembership } from './node-membership.js';
import { VaultWindow } from './vault-window.js';

export interface IdentitiesParts {
  readonly controller: ControllerFlags;
  readonly node: string;
  readonly channel: ConfigChannel;
  readonly vault: IdentityManagerParts['vault'];
  readonly events: IdentityEvents;
  readonly timers: Timers;
  readonly random: () => number;
  readonly log: ProcessLog;
}

/** The identities of this node's workloads, and the node's own where the controller is on another machine. */
export class Identities {
  readonly manager: IdentityManager;
  readonly access: ControllerAccess;
  readonly clock: ControllerClock;
  readonly #vault: VaultWindow;
  readonly #membership: NodeMembership | undefined;
  readonly #parts: IdentitiesParts;
  readonly #client: ReturnType<Identities['connect']>;
  #closed = false;

  constructor(parts: IdentitiesParts) {
    this.#parts = parts;
    const { controller, node, events, timers, random, log } = parts;
    this.clock = new ControllerClock({ timers, wallClock: Date.now, log });
    this.#vault = new VaultWindow(parts.vault);
    if (controller.kind === 'socket') this.access = socketAccess(controller.address);
    else {
      const { address, tokenFile, caFile } = controller;
      const rest = { vault: this.#vault, clock: this.clock, timers, random, log };
      this.#membership = new NodeMembership({ address, tokenFile, caFile, node, ...rest });
      this.access = this.#membership;
    }
    this.manager = new IdentityManager({
      makeRequest: async (spiffeId) => (await import('./make-request.js')).makeRequest(spiffeId),
      issue: async (workload, csr) => (await this.#client).issue(workload, csr),
      vault: this.#vault,
      events,
      timers,
      clock: this.clock,
      random,
      log,
    });
    // The bundle is followed also where every identity came out of the vault.
    this.#client = this.connect();
    this.#client.catch((error: unknown) =>
      log('error', 'the certificate authority cannot be asked', { error: String(error) }),
    );
  }

  /** The node's own; empty where the controller is on this machine. */
  get nodeStatuses(): readonly IdentityStatus[] {
    return this.#membership?.statuses ?? [];
  }

  /** Capture has come: requests to the one before are never answered. */
  captureReady(): void {
    this.#membership?.captureReady();
    this.manager.captureReady();
  }

  /** Before anything is asked of a capture that has come anew. */
  captureCame(): void {
    this.#vault.reset();
  }

  captureLost(): void {
    this.#membership?.captureLost();
    this.manager.captureLost();
  }

  /** What the vault keeps; null where nothing, or where capture refused to say. */
  secretArrived(place: string, secret: string | null): void {
    if (place === nodeSecretName) this.#membership?.secretArrived(secret);
    else this.manager.secretArrived(place, secret);
  }

  vaultAnswered(): void {
    this.#vault.answered();
  }

  close(): void {
    this.#closed = true;
    this.manager.close();
    this.clock.close();
    this.#membership?.close();
    this.#client.then(
      (connected) => connected.close(),
      () => {},
    );
  }

  private async connect() {
    const { node, channel, timers, random, log } = this.#parts;
    const [{ IdentityClient }] = await Promise.all([import('./identity-client.js'), this.access.ready]);
    const connected = new IdentityClient({
      access: this.access,
      node,
      channel,
      timers,
      random,
      log,
      onBundle: (roots, nowMs) => {
        this.clock.measured(nowMs);
        this.#membership?.takeBundle(roots);
        this.manager.takeBundle(roots);
      },
    });
    if (this.#closed) connected.close();
    else connected.watch();
    return connected;
  }
}
