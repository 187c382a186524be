// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.


export interface HeaderValue {
  'name'?: (string);
  'value'?: (string);
}

export interface HeaderValue__Output {
  'name': (string);
  'value': (string);
}
