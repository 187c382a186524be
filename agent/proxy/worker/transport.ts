/** How the bytes of a connection or request travel between workloads. */
export const Transport = {
  /** Not decided, or not at all: a refusal, or an application's connection whose requests go ways of their own. */
  none: 0,
  plaintext: 1,
  tls: 2,
} as const;

const names = ['none', 'plaintext', 'tls'] as const;

export function transportName(transport: number): (typeof names)[number] {
  return names[transport] ?? 'none';
}
