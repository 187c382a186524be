// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.

import type { ServiceRef as _weft_v1_ServiceRef, ServiceRef__Output as _weft_v1_ServiceRef__Output } from '../../weft/v1/ServiceRef.js';
import type { HttpFilter as _weft_v1_HttpFilter, HttpFilter__Output as _weft_v1_HttpFilter__Output } from '../../weft/v1/HttpFilter.js';

export interface Backend {
  /**
   * Absent: the reference cannot be resolved or is not permitted.
   */
  'service'?: (_weft_v1_ServiceRef | null);
  'weight'?: (number);
  'filters'?: (_weft_v1_HttpFilter)[];
}

export interface Backend__Output {
  /**
   * Absent: the reference cannot be resolved or is not permitted.
   */
  'service': (_weft_v1_ServiceRef__Output | null);
  'weight': (number);
  'filters': (_weft_v1_HttpFilter__Output)[];
}
