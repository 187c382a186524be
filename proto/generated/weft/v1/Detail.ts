// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.


/**
 * What a node uses without running it. service: its endpoints, the routes attached to it, and the same of the services
 * that those name. workload: all of it, the policies of its namespace, and the services in front of it.
 */
export interface Detail {
  /**
   * service | workload
   */
  'kind'?: (string);
  /**
   * As a resource's: namespace/name or a workload's uid.
   */
  'name'?: (string);
}

/**
 * What a node uses without running it. service: its endpoints, the routes attached to it, and the same of the services
 * that those name. workload: all of it, the policies of its namespace, and the services in front of it.
 */
export interface Detail__Output {
  /**
   * service | workload
   */
  'kind': (string);
  /**
   * As a resource's: namespace/name or a workload's uid.
   */
  'name': (string);
}
