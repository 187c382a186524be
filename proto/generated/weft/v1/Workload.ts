// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.

import type { WorkloadPort as _weft_v1_WorkloadPort, WorkloadPort__Output as _weft_v1_WorkloadPort__Output } from '../../weft/v1/WorkloadPort.js';
import type { WorkloadLimits as _weft_v1_WorkloadLimits, WorkloadLimits__Output as _weft_v1_WorkloadLimits__Output } from '../../weft/v1/WorkloadLimits.js';
import type { Capture as _weft_v1_Capture, Capture__Output as _weft_v1_Capture__Output } from '../../weft/v1/Capture.js';

export interface Workload {
  /**
   * pod | unit | external
   */
  'kind'?: (string);
  'uid'?: (string);
  'name'?: (string);
  'namespace'?: (string);
  'serviceAccount'?: (string);
  'trustDomain'?: (string);
  'cluster'?: (string);
  'network'?: (string);
  'node'?: (string);
  'region'?: (string);
  'zone'?: (string);
  'labels'?: ({[key: string]: string});
  'addresses'?: (string)[];
  'ports'?: (_weft_v1_WorkloadPort)[];
  'limits'?: (_weft_v1_WorkloadLimits | null);
  /**
   * Absent: not enrolled.
   */
  'capture'?: (_weft_v1_Capture | null);
}

export interface Workload__Output {
  /**
   * pod | unit | external
   */
  'kind': (string);
  'uid': (string);
  'name': (string);
  'namespace': (string);
  'serviceAccount': (string);
  'trustDomain': (string);
  'cluster': (string);
  'network': (string);
  'node': (string);
  'region': (string);
  'zone': (string);
  'labels': ({[key: string]: string});
  'addresses': (string)[];
  'ports': (_weft_v1_WorkloadPort__Output)[];
  'limits': (_weft_v1_WorkloadLimits__Output | null);
  /**
   * Absent: not enrolled.
   */
  'capture': (_weft_v1_Capture__Output | null);
}
