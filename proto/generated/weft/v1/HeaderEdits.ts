// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.

import type { HeaderValue as _weft_v1_HeaderValue, HeaderValue__Output as _weft_v1_HeaderValue__Output } from '../../weft/v1/HeaderValue.js';

export interface HeaderEdits {
  'set'?: (_weft_v1_HeaderValue)[];
  'add'?: (_weft_v1_HeaderValue)[];
  'remove'?: (string)[];
}

export interface HeaderEdits__Output {
  'set': (_weft_v1_HeaderValue__Output)[];
  'add': (_weft_v1_HeaderValue__Output)[];
  'remove': (string)[];
}
