// Generated from proto/weft/v1/replica.proto by scripts/generate-proto.mjs; do not edit.

import type { Long } from '@grpc/proto-loader';

export interface NodeAcked {
  'node'?: (string);
  'generation'?: (number | string | Long);
}

export interface NodeAcked__Output {
  'node': (string);
  'generation': (number);
}
