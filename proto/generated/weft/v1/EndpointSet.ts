// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.

import type { Endpoint as _weft_v1_Endpoint, Endpoint__Output as _weft_v1_Endpoint__Output } from '../../weft/v1/Endpoint.js';

export interface EndpointSet {
  'namespace'?: (string);
  'name'?: (string);
  'endpoints'?: (_weft_v1_Endpoint)[];
}

export interface EndpointSet__Output {
  'namespace': (string);
  'name': (string);
  'endpoints': (_weft_v1_Endpoint__Output)[];
}
