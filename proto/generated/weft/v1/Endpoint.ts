// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.


export interface Endpoint {
  'workloadUid'?: (string);
  'address'?: (string);
  /**
   * The endpoint's own port by the service's port.
   */
  'ports'?: ({[key: number]: number});
  'ready'?: (boolean);
  'serving'?: (boolean);
  'zone'?: (string);
}

export interface Endpoint__Output {
  'workloadUid': (string);
  'address': (string);
  /**
   * The endpoint's own port by the service's port.
   */
  'ports': ({[key: number]: number});
  'ready': (boolean);
  'serving': (boolean);
  'zone': (string);
}
