// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.

import type { SourceMatch as _weft_v1_SourceMatch, SourceMatch__Output as _weft_v1_SourceMatch__Output } from '../../weft/v1/SourceMatch.js';
import type { HttpAttributes as _weft_v1_HttpAttributes, HttpAttributes__Output as _weft_v1_HttpAttributes__Output } from '../../weft/v1/HttpAttributes.js';

export interface PolicyRule {
  'sources'?: (_weft_v1_SourceMatch | null);
  'ports'?: (number)[];
  /**
   * Absent: the rule speaks of connections.
   */
  'http'?: (_weft_v1_HttpAttributes | null);
}

export interface PolicyRule__Output {
  'sources': (_weft_v1_SourceMatch__Output | null);
  'ports': (number)[];
  /**
   * Absent: the rule speaks of connections.
   */
  'http': (_weft_v1_HttpAttributes__Output | null);
}
