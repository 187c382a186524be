// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.

import type { PathEdit as _weft_v1_PathEdit, PathEdit__Output as _weft_v1_PathEdit__Output } from '../../weft/v1/PathEdit.js';

export interface UrlRewrite {
  'hostname'?: (string);
  'path'?: (_weft_v1_PathEdit | null);
}

export interface UrlRewrite__Output {
  'hostname': (string);
  'path': (_weft_v1_PathEdit__Output | null);
}
