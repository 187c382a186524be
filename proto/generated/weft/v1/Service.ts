// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.

import type { WorkloadPort as _weft_v1_WorkloadPort, WorkloadPort__Output as _weft_v1_WorkloadPort__Output } from '../../weft/v1/WorkloadPort.js';

export interface Service {
  'namespace'?: (string);
  'name'?: (string);
  'addresses'?: (string)[];
  'ports'?: (_weft_v1_WorkloadPort)[];
  /**
   * peak-ewma | round-robin | least-request
   */
  'balancing'?: (string);
  /**
   * One client uses one endpoint. For agents of before 7.
   */
  'sessionAffinity'?: (boolean);
  /**
   * For so many seconds after its last use; 0 with session_affinity: a controller of before this field, three hours.
   */
  'sessionAffinitySeconds'?: (number);
}

export interface Service__Output {
  'namespace': (string);
  'name': (string);
  'addresses': (string)[];
  'ports': (_weft_v1_WorkloadPort__Output)[];
  /**
   * peak-ewma | round-robin | least-request
   */
  'balancing': (string);
  /**
   * One client uses one endpoint. For agents of before 7.
   */
  'sessionAffinity': (boolean);
  /**
   * For so many seconds after its last use; 0 with session_affinity: a controller of before this field, three hours.
   */
  'sessionAffinitySeconds': (number);
}
