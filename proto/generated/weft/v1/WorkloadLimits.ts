// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.

import type { Long } from '@grpc/proto-loader';

export interface WorkloadLimits {
  'connections'?: (number);
  'pendingRequests'?: (number);
  'bufferedBytes'?: (number | string | Long);
  'cpuShare'?: (number);
}

export interface WorkloadLimits__Output {
  'connections': (number);
  'pendingRequests': (number);
  'bufferedBytes': (number);
  'cpuShare': (number);
}
