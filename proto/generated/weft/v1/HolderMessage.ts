// Generated from proto/weft/v1/replica.proto by scripts/generate-proto.mjs; do not edit.

import type { PhaseTable as _weft_v1_PhaseTable, PhaseTable__Output as _weft_v1_PhaseTable__Output } from '../../weft/v1/PhaseTable.js';

export interface HolderMessage {
  /**
   * The first one holds the whole table.
   */
  'phases'?: (_weft_v1_PhaseTable | null);
  /**
   * The node of a `come` may be served: all that was decided without waiting for it has been sent.
   */
  'welcome'?: (string);
  'message'?: "phases"|"welcome";
}

export interface HolderMessage__Output {
  /**
   * The first one holds the whole table.
   */
  'phases'?: (_weft_v1_PhaseTable__Output | null);
  /**
   * The node of a `come` may be served: all that was decided without waiting for it has been sent.
   */
  'welcome'?: (string);
  'message'?: "phases"|"welcome";
}
