// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.

import type { WorkloadMtls as _weft_v1_WorkloadMtls, WorkloadMtls__Output as _weft_v1_WorkloadMtls__Output } from '../../weft/v1/WorkloadMtls.js';

export interface IndexedWorkload {
  /**
   * A UUID's 16 bytes; empty: see uid.
   */
  'uuid'?: (Buffer | Uint8Array | string);
  'uid'?: (string);
  'name'?: (string);
  /**
   * Places in texts.
   */
  'namespace'?: (number);
  'serviceAccount'?: (number);
  /**
   * Workload label of metrics.
   */
  'label'?: (number);
  /**
   * 4 or 16 bytes each.
   */
  'addresses'?: (Buffer | Uint8Array | string)[];
  /**
   * pod | unit | external; empty: pod
   */
  'kind'?: (string);
  'captured'?: (boolean);
  /**
   * 0 plaintext, 1 arriving, 2 weft-tls, 3 leaving
   */
  'transport'?: (number);
  /**
   * As in Workload.
   */
  'mtls'?: (_weft_v1_WorkloadMtls | null);
}

export interface IndexedWorkload__Output {
  /**
   * A UUID's 16 bytes; empty: see uid.
   */
  'uuid': (Buffer);
  'uid': (string);
  'name': (string);
  /**
   * Places in texts.
   */
  'namespace': (number);
  'serviceAccount': (number);
  /**
   * Workload label of metrics.
   */
  'label': (number);
  /**
   * 4 or 16 bytes each.
   */
  'addresses': (Buffer)[];
  /**
   * pod | unit | external; empty: pod
   */
  'kind': (string);
  'captured': (boolean);
  /**
   * 0 plaintext, 1 arriving, 2 weft-tls, 3 leaving
   */
  'transport': (number);
  /**
   * As in Workload.
   */
  'mtls': (_weft_v1_WorkloadMtls__Output | null);
}
