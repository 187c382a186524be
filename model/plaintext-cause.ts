/** Why two ends speak plaintext, as people are told: the first thing to change so that they would not. */
import { modeOf } from './mtls.js';
import type { WorkloadView } from './snapshot.js';

/** All of them; numbers in tables are indices into this list, and the first is "they do not". */
export const plaintextCauses = [
  'none',
  /** The destination is no workload of the mesh. */
  'destination_outside',
  /** The mode of its port is disabled. */
  'mode_disabled',
  'destination_not_captured',
  /** It is captured, and its agent or its identity is not ready yet, or it is about to be released. */
  'destination_not_ready',
  /** The caller's address is no workload's. */
  'source_unknown',
  'source_not_captured',
  'source_not_ready',
] as const;

export type PlaintextCause = (typeof plaintextCauses)[number];

/** `port`: the destination's own. */
export function plaintextCause(
  source: WorkloadView | undefined,
  destination: WorkloadView | undefined,
  port: number,
): PlaintextCause {
  if (destination === undefined) return 'destination_outside';
  const { captured, transport } = destination.workload;
  if (modeOf(destination.workload, port) === 'disabled') return 'mode_disabled';
  if (!captured && transport === 'plaintext') return 'destination_not_captured';
  if (transport === 'plaintext' || transport === 'leaving') return 'destination_not_ready';
  if (source === undefined) return 'source_unknown';
  return source.workload.captured ? 'source_not_ready' : 'source_not_captured';
}
