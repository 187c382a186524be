// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.

import type { LabelSelector as _weft_v1_LabelSelector, LabelSelector__Output as _weft_v1_LabelSelector__Output } from '../../weft/v1/LabelSelector.js';

export interface PolicyTarget {
  'selector'?: (_weft_v1_LabelSelector | null);
  /**
   * A service's name.
   */
  'service'?: (string);
  'target'?: "selector"|"service";
}

export interface PolicyTarget__Output {
  'selector'?: (_weft_v1_LabelSelector__Output | null);
  /**
   * A service's name.
   */
  'service'?: (string);
  'target'?: "selector"|"service";
}
