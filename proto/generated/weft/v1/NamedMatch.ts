// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.


export interface NamedMatch {
  'name'?: (string);
  /**
   * Exact | RegularExpression
   */
  'type'?: (string);
  'value'?: (string);
}

export interface NamedMatch__Output {
  'name': (string);
  /**
   * Exact | RegularExpression
   */
  'type': (string);
  'value': (string);
}
