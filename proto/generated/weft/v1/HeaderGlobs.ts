// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.


export interface HeaderGlobs {
  'name'?: (string);
  'values'?: (string)[];
}

export interface HeaderGlobs__Output {
  'name': (string);
  'values': (string)[];
}
