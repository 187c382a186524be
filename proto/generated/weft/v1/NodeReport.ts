// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.

import type { WorkloadReadiness as _weft_v1_WorkloadReadiness, WorkloadReadiness__Output as _weft_v1_WorkloadReadiness__Output } from '../../weft/v1/WorkloadReadiness.js';

/**
 * How the workloads stand that this node captures, all of them; sent after Hello and again whenever one changes. One
 * that a delta releases is out of the report before that delta is acknowledged.
 */
export interface NodeReport {
  'workloads'?: (_weft_v1_WorkloadReadiness)[];
}

/**
 * How the workloads stand that this node captures, all of them; sent after Hello and again whenever one changes. One
 * that a delta releases is out of the report before that delta is acknowledged.
 */
export interface NodeReport__Output {
  'workloads': (_weft_v1_WorkloadReadiness__Output)[];
}
