// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.


export interface ServiceRef {
  'namespace'?: (string);
  'name'?: (string);
  'port'?: (number);
}

export interface ServiceRef__Output {
  'namespace': (string);
  'name': (string);
  'port': (number);
}
