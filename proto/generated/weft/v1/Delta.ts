// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.

import type { Resource as _weft_v1_Resource, Resource__Output as _weft_v1_Resource__Output } from '../../weft/v1/Resource.js';
import type { ResourceVersion as _weft_v1_ResourceVersion, ResourceVersion__Output as _weft_v1_ResourceVersion__Output } from '../../weft/v1/ResourceVersion.js';
import type { Detail as _weft_v1_Detail, Detail__Output as _weft_v1_Detail__Output } from '../../weft/v1/Detail.js';
import type { Long } from '@grpc/proto-loader';

export interface Delta {
  'nonce'?: (number | string | Long);
  /**
   * Version of the controller's whole view that this delta leads to; grows.
   */
  'snapshotVersion'?: (number | string | Long);
  /**
   * The agent has all that the controller holds for it once this delta is applied; set in the first one.
   */
  'complete'?: (boolean);
  'upserts'?: (_weft_v1_Resource)[];
  'removals'?: (_weft_v1_ResourceVersion)[];
  /**
   * The controller sends details as they are wanted, and understands WantChange; set in the first delta.
   */
  'scoped'?: (boolean);
  /**
   * Only in what an agent keeps for its next start: what it wants.
   */
  'wants'?: (_weft_v1_Detail)[];
}

export interface Delta__Output {
  'nonce': (number);
  /**
   * Version of the controller's whole view that this delta leads to; grows.
   */
  'snapshotVersion': (number);
  /**
   * The agent has all that the controller holds for it once this delta is applied; set in the first one.
   */
  'complete': (boolean);
  'upserts': (_weft_v1_Resource__Output)[];
  'removals': (_weft_v1_ResourceVersion__Output)[];
  /**
   * The controller sends details as they are wanted, and understands WantChange; set in the first delta.
   */
  'scoped': (boolean);
  /**
   * Only in what an agent keeps for its next start: what it wants.
   */
  'wants': (_weft_v1_Detail__Output)[];
}
