// Generated from proto/weft/v1/replica.proto by scripts/generate-proto.mjs; do not edit.

import type { WorkloadTransport as _weft_v1_WorkloadTransport, WorkloadTransport__Output as _weft_v1_WorkloadTransport__Output } from '../../weft/v1/WorkloadTransport.js';

export interface NodeCome {
  'node'?: (string);
  /**
   * Phases that the agent holds, but for plaintext.
   */
  'held'?: (_weft_v1_WorkloadTransport)[];
}

export interface NodeCome__Output {
  'node': (string);
  /**
   * Phases that the agent holds, but for plaintext.
   */
  'held': (_weft_v1_WorkloadTransport__Output)[];
}
