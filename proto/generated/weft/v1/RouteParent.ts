// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.


export interface RouteParent {
  'namespace'?: (string);
  'name'?: (string);
  /**
   * 0: every port.
   */
  'port'?: (number);
}

export interface RouteParent__Output {
  'namespace': (string);
  'name': (string);
  /**
   * 0: every port.
   */
  'port': (number);
}
