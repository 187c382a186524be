// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.

import type { HeaderGlobs as _weft_v1_HeaderGlobs, HeaderGlobs__Output as _weft_v1_HeaderGlobs__Output } from '../../weft/v1/HeaderGlobs.js';

export interface HttpAttributes {
  'methods'?: (string)[];
  'paths'?: (string)[];
  'hosts'?: (string)[];
  'headers'?: (_weft_v1_HeaderGlobs)[];
}

export interface HttpAttributes__Output {
  'methods': (string)[];
  'paths': (string)[];
  'hosts': (string)[];
  'headers': (_weft_v1_HeaderGlobs__Output)[];
}
