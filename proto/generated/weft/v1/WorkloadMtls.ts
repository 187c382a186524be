// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.


export interface WorkloadMtls {
  /**
   * strict | permissive | disabled
   */
  'mode'?: (string);
  /**
   * Ports that differ.
   */
  'ports'?: ({[key: number]: string});
}

export interface WorkloadMtls__Output {
  /**
   * strict | permissive | disabled
   */
  'mode': (string);
  /**
   * Ports that differ.
   */
  'ports': ({[key: number]: string});
}
