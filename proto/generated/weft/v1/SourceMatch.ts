// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.


export interface SourceMatch {
  'serviceAccounts'?: (string)[];
  'namespaces'?: (string)[];
  'spiffeIds'?: (string)[];
}

export interface SourceMatch__Output {
  'serviceAccounts': (string)[];
  'namespaces': (string)[];
  'spiffeIds': (string)[];
}
