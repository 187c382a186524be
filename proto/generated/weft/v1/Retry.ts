// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.


export interface Retry {
  'codes'?: (number)[];
  'attempts'?: (number);
  'backoffMs'?: (number);
}

export interface Retry__Output {
  'codes': (number)[];
  'attempts': (number);
  'backoffMs': (number);
}
