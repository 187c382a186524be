// Generated from proto/weft/v1/replica.proto by scripts/generate-proto.mjs; do not edit.

import type { Capture as _weft_v1_Capture, Capture__Output as _weft_v1_Capture__Output } from '../../weft/v1/Capture.js';
import type { Long } from '@grpc/proto-loader';

export interface PhaseEntry {
  'uid'?: (string);
  /**
   * As Workload.transport.
   */
  'phase'?: (string);
  'wanted'?: (boolean);
  /**
   * Absent in phase plaintext.
   */
  'capture'?: (_weft_v1_Capture | null);
  /**
   * The generation that brought phase and wish.
   */
  'since'?: (number | string | Long);
}

export interface PhaseEntry__Output {
  'uid': (string);
  /**
   * As Workload.transport.
   */
  'phase': (string);
  'wanted': (boolean);
  /**
   * Absent in phase plaintext.
   */
  'capture': (_weft_v1_Capture__Output | null);
  /**
   * The generation that brought phase and wish.
   */
  'since': (number);
}
