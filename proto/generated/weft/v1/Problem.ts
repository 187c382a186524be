// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.


export interface Problem {
  'field'?: (string);
  'value'?: (string);
  'message'?: (string);
  'fix'?: (string);
}

export interface Problem__Output {
  'field': (string);
  'value': (string);
  'message': (string);
  'fix': (string);
}
