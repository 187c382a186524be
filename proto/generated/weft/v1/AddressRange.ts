// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.


export interface AddressRange {
  'cidr'?: (string);
  /**
   * direct | deny | proxy
   */
  'action'?: (string);
}

export interface AddressRange__Output {
  'cidr': (string);
  /**
   * direct | deny | proxy
   */
  'action': (string);
}
