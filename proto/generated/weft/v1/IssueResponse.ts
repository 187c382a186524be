// Generated from proto/weft/v1/identity.proto by scripts/generate-proto.mjs; do not edit.

import type { TrustBundle as _weft_v1_TrustBundle, TrustBundle__Output as _weft_v1_TrustBundle__Output } from '../../weft/v1/TrustBundle.js';
import type { Long } from '@grpc/proto-loader';

export interface IssueResponse {
  /**
   * The certified one's certificate first, then intermediates; the root is not among them.
   */
  'chain'?: (Buffer | Uint8Array | string)[];
  'bundle'?: (_weft_v1_TrustBundle | null);
  /**
   * When the certificate ends, milliseconds since the epoch.
   */
  'expiresMs'?: (number | string | Long);
}

export interface IssueResponse__Output {
  /**
   * The certified one's certificate first, then intermediates; the root is not among them.
   */
  'chain': (Buffer)[];
  'bundle': (_weft_v1_TrustBundle__Output | null);
  /**
   * When the certificate ends, milliseconds since the epoch.
   */
  'expiresMs': (number);
}
