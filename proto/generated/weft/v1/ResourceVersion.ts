// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.


export interface ResourceVersion {
  'kind'?: (string);
  'name'?: (string);
  'version'?: (string);
}

export interface ResourceVersion__Output {
  'kind': (string);
  'name': (string);
  'version': (string);
}
