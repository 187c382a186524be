// Generated from proto/weft/v1/identity.proto by scripts/generate-proto.mjs; do not edit.

import type { Long } from '@grpc/proto-loader';

export interface TrustBundle {
  'trustDomain'?: (string);
  /**
   * Never empty.
   */
  'roots'?: (Buffer | Uint8Array | string)[];
  /**
   * The controller's clock as this was sent, milliseconds since the epoch: certificates are dated by it. 0: a controller
   * of before this field.
   */
  'nowMs'?: (number | string | Long);
}

export interface TrustBundle__Output {
  'trustDomain': (string);
  /**
   * Never empty.
   */
  'roots': (Buffer)[];
  /**
   * The controller's clock as this was sent, milliseconds since the epoch: certificates are dated by it. 0: a controller
   * of before this field.
   */
  'nowMs': (number);
}
