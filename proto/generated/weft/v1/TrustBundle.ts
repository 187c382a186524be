// Generated from proto/weft/v1/identity.proto by scripts/generate-proto.mjs; do not edit.


export interface TrustBundle {
  'trustDomain'?: (string);
  /**
   * Never empty.
   */
  'roots'?: (Buffer | Uint8Array | string)[];
}

export interface TrustBundle__Output {
  'trustDomain': (string);
  /**
   * Never empty.
   */
  'roots': (Buffer)[];
}
