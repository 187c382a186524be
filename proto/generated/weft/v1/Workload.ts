// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.

import type { WorkloadPort as _weft_v1_WorkloadPort, WorkloadPort__Output as _weft_v1_WorkloadPort__Output } from '../../weft/v1/WorkloadPort.js';
import type { WorkloadLimits as _weft_v1_WorkloadLimits, WorkloadLimits__Output as _weft_v1_WorkloadLimits__Output } from '../../weft/v1/WorkloadLimits.js';
import type { Capture as _weft_v1_Capture, Capture__Output as _weft_v1_Capture__Output } from '../../weft/v1/Capture.js';
import type { WorkloadMtls as _weft_v1_WorkloadMtls, WorkloadMtls__Output as _weft_v1_WorkloadMtls__Output } from '../../weft/v1/WorkloadMtls.js';

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
   * Absent: not enrolled, or on another node.
   */
  'capture'?: (_weft_v1_Capture | null);
  /**
   * Its node shall capture it. Where capture is present and this is not, it is about to be released.
   */
  'captured'?: (boolean);
  /**
   * Absent: permissive everywhere.
   */
  'mtls'?: (_weft_v1_WorkloadMtls | null);
  /**
   * plaintext | arriving | weft-tls | leaving; empty: plaintext
   */
  'transport'?: (string);
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
   * Absent: not enrolled, or on another node.
   */
  'capture': (_weft_v1_Capture__Output | null);
  /**
   * Its node shall capture it. Where capture is present and this is not, it is about to be released.
   */
  'captured': (boolean);
  /**
   * Absent: permissive everywhere.
   */
  'mtls': (_weft_v1_WorkloadMtls__Output | null);
  /**
   * plaintext | arriving | weft-tls | leaving; empty: plaintext
   */
  'transport': (string);
}
