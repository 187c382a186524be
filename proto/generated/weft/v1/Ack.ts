// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.

import type { Refusal as _weft_v1_Refusal, Refusal__Output as _weft_v1_Refusal__Output } from '../../weft/v1/Refusal.js';
import type { Long } from '@grpc/proto-loader';

export interface Ack {
  /**
   * The delta's nonce.
   */
  'nonce'?: (number | string | Long);
  /**
   * Resources of that delta that the agent refused; every other one is in force.
   */
  'refusals'?: (_weft_v1_Refusal)[];
}

export interface Ack__Output {
  /**
   * The delta's nonce.
   */
  'nonce': (number);
  /**
   * Resources of that delta that the agent refused; every other one is in force.
   */
  'refusals': (_weft_v1_Refusal__Output)[];
}
