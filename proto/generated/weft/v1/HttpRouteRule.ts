// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.

import type { HttpRouteMatch as _weft_v1_HttpRouteMatch, HttpRouteMatch__Output as _weft_v1_HttpRouteMatch__Output } from '../../weft/v1/HttpRouteMatch.js';
import type { HttpFilter as _weft_v1_HttpFilter, HttpFilter__Output as _weft_v1_HttpFilter__Output } from '../../weft/v1/HttpFilter.js';
import type { Backend as _weft_v1_Backend, Backend__Output as _weft_v1_Backend__Output } from '../../weft/v1/Backend.js';
import type { Retry as _weft_v1_Retry, Retry__Output as _weft_v1_Retry__Output } from '../../weft/v1/Retry.js';

export interface HttpRouteRule {
  'name'?: (string);
  'matches'?: (_weft_v1_HttpRouteMatch)[];
  'filters'?: (_weft_v1_HttpFilter)[];
  'backends'?: (_weft_v1_Backend)[];
  'requestTimeoutMs'?: (number);
  'backendTimeoutMs'?: (number);
  'retry'?: (_weft_v1_Retry | null);
}

export interface HttpRouteRule__Output {
  'name': (string);
  'matches': (_weft_v1_HttpRouteMatch__Output)[];
  'filters': (_weft_v1_HttpFilter__Output)[];
  'backends': (_weft_v1_Backend__Output)[];
  'requestTimeoutMs': (number);
  'backendTimeoutMs': (number);
  'retry': (_weft_v1_Retry__Output | null);
}
