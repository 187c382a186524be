// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.

import type { Detail as _weft_v1_Detail, Detail__Output as _weft_v1_Detail__Output } from '../../weft/v1/Detail.js';

/**
 * The details come as resources of the same stream, and those that nothing wants any more are removed.
 */
export interface WantChange {
  'added'?: (_weft_v1_Detail)[];
  'removed'?: (_weft_v1_Detail)[];
}

/**
 * The details come as resources of the same stream, and those that nothing wants any more are removed.
 */
export interface WantChange__Output {
  'added': (_weft_v1_Detail__Output)[];
  'removed': (_weft_v1_Detail__Output)[];
}
