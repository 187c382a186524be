import { Reason } from '../../../reasons/reasons.js';

/** How the bytes of a connection or request travel between workloads. */
export const Transport = {
  /** Not decided, or not at all: a refusal, or an application's connection whose requests go ways of their own. */
  none: 0,
  plaintext: 1,
  tls: 2,
} as const;

const names = ['none', 'plaintext', 'tls'] as const;

const tlsReasons: ReadonlySet<number> = new Set(
  Object.entries(Reason).flatMap(([name, code]) => (name.startsWith('tls_') ? [code] : [])),
);

/** Whether a reason speaks of TLS with another workload. */
export function isTlsReason(reason: number): boolean {
  return reason !== Reason.none && tlsReasons.has(reason);
}

export function transportName(transport: number): (typeof names)[number] {
  return names[transport] ?? 'none';
}
