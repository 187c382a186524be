// Generated from proto/weft/v1/replica.proto by scripts/generate-proto.mjs; do not edit.

import type { PhaseEntry as _weft_v1_PhaseEntry, PhaseEntry__Output as _weft_v1_PhaseEntry__Output } from '../../weft/v1/PhaseEntry.js';
import type { Long } from '@grpc/proto-loader';

export interface PhaseTable {
  /**
   * Counts holders of the lease; 0: phases that agents brought, which no holder has decided about.
   */
  'term'?: (number | string | Long);
  'generation'?: (number | string | Long);
  /**
   * All there is, instead of changes.
   */
  'whole'?: (boolean);
  'entries'?: (_weft_v1_PhaseEntry)[];
  /**
   * Workloads that the holder knows no more.
   */
  'gone'?: (string)[];
}

export interface PhaseTable__Output {
  /**
   * Counts holders of the lease; 0: phases that agents brought, which no holder has decided about.
   */
  'term': (number);
  'generation': (number);
  /**
   * All there is, instead of changes.
   */
  'whole': (boolean);
  'entries': (_weft_v1_PhaseEntry__Output)[];
  /**
   * Workloads that the holder knows no more.
   */
  'gone': (string)[];
}
