// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.


export interface WorkloadPort {
  'name'?: (string);
  'port'?: (number);
  /**
   * http | http2 | grpc | tcp | tls
   */
  'protocol'?: (string);
}

export interface WorkloadPort__Output {
  'name': (string);
  'port': (number);
  /**
   * http | http2 | grpc | tcp | tls
   */
  'protocol': (string);
}
