// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.


export interface WorkloadTransport {
  'uid'?: (string);
  /**
   * As Workload.transport.
   */
  'transport'?: (string);
}

export interface WorkloadTransport__Output {
  'uid': (string);
  /**
   * As Workload.transport.
   */
  'transport': (string);
}
