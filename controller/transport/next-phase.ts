/** One workload's way between plaintext and TLS, a step at a time. */
import type { TransportPhase } from '../../model/workload.js';

/** What a step depends on. */
export interface PhaseFacts {
  /** Its node shall capture it. */
  readonly wanted: boolean;
  /** Its node has reported it captured and its identity in force. */
  readonly ready: boolean;
  /** Every node has the present phase and wish in force, and connections made before are through. */
  readonly known: boolean;
}

/**
 * The phase after this one, or the same. Neighbouring phases understand each other and no others do: two nodes may
 * hold neighbours for a while, so whoever leaves `arriving` or `leaving` waits until everybody has come there.
 * `plaintext` to `arriving` waits too: a workload speaks TLS only when everybody knows it as captured.
 */
export function nextPhase(phase: TransportPhase, { wanted, ready, known }: PhaseFacts): TransportPhase {
  const able = wanted && ready;
  switch (phase) {
    case 'plaintext':
      return able && known ? 'arriving' : 'plaintext';
    case 'arriving':
      if (!known) return 'arriving';
      return able ? 'weft-tls' : 'leaving';
    case 'weft-tls':
      return able ? 'weft-tls' : 'arriving';
    case 'leaving':
      if (able) return 'arriving';
      // One that is still wanted stays: it is captured, and a strict one must not be sent plaintext.
      return !wanted && known ? 'plaintext' : 'leaving';
  }
}
