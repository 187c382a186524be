// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.


export interface WorkloadReadiness {
  'uid'?: (string);
  /**
   * Capture has it enrolled and a worker serves it.
   */
  'captured'?: (boolean);
  /**
   * Its certificate is in force in the transport.
   */
  'identityReady'?: (boolean);
}

export interface WorkloadReadiness__Output {
  'uid': (string);
  /**
   * Capture has it enrolled and a worker serves it.
   */
  'captured': (boolean);
  /**
   * Its certificate is in force in the transport.
   */
  'identityReady': (boolean);
}
