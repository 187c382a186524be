// Generated from proto/weft/v1/replica.proto by scripts/generate-proto.mjs; do not edit.

import type { Refusal as _weft_v1_Refusal, Refusal__Output as _weft_v1_Refusal__Output } from '../../weft/v1/Refusal.js';

export interface NodeStanding {
  'node'?: (string);
  'connected'?: (boolean);
  'agentVersion'?: (string);
  /**
   * It has all that its replica publishes.
   */
  'reached'?: (boolean);
  'refusals'?: (_weft_v1_Refusal)[];
}

export interface NodeStanding__Output {
  'node': (string);
  'connected': (boolean);
  'agentVersion': (string);
  /**
   * It has all that its replica publishes.
   */
  'reached': (boolean);
  'refusals': (_weft_v1_Refusal__Output)[];
}
