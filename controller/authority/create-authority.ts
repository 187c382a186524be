/** The authority that the command line asks for. Loaded only then: nobody else needs an X.509 library. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Issuing } from '../publish/agent-listeners.js';
import type { Publisher } from '../publish/publisher.js';
import type { Log } from '../status/log.js';
import { Authority } from './authority.js';
import { BuiltInIssuer } from './built-in-issuer.js';
import { ControllerCertificate } from './controller-certificate.js';
import { ExternalIssuer } from './external-issuer.js';
import type { Issuer } from './issuer.js';

/** Who issues certificates, and for how long. */
export interface IdentitySettings {
  readonly issuer:
    | { readonly kind: 'built-in'; readonly folder: string; readonly create: boolean }
    | { readonly kind: 'external'; readonly folder: string };
  readonly lifetimeMs: number;
}

/** What an authority needs of its controller. */
export interface AuthoritySurroundings {
  readonly publisher: Publisher;
  readonly log: Log;
  /** Wall clock in milliseconds. */
  readonly now: () => number;
}

/** Agents hold a stream open for the bundle: they know a new root long before it signs. */
const announceMs = 10_000;
const externalTimeoutMs = 30_000;

export function createIssuer({ issuer }: IdentitySettings): Issuer {
  switch (issuer.kind) {
    case 'built-in':
      return new BuiltInIssuer({ ...issuer, announceMs });
    case 'external':
      return new ExternalIssuer({
        folder: issuer.folder,
        timeoutMs: externalTimeoutMs,
        wait: (ms) => wait(ms),
      });
  }
}

/** The authority over what `publisher` holds at each moment. */
export function createAuthority(
  issuer: Issuer,
  lifetimeMs: number,
  { publisher, log, now }: AuthoritySurroundings,
): Issuing {
  const find = (id: string) => publisher.snapshot?.resources.get(id);
  const authority = new Authority({
    issuer,
    lifetimeMs,
    log,
    now,
    findWorkload: (uid) => {
      const found = find(`workload ${uid}`);
      return found?.kind === 'workload' ? found.body : undefined;
    },
    trustDomain: () => publisher.trustDomain,
  });
  return { authority, certify: (take, kind) => new ControllerCertificate(authority, now, take, kind) };
}
