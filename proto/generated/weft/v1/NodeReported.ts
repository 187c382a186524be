// Generated from proto/weft/v1/replica.proto by scripts/generate-proto.mjs; do not edit.

import type { NodeReport as _weft_v1_NodeReport, NodeReport__Output as _weft_v1_NodeReport__Output } from '../../weft/v1/NodeReport.js';

export interface NodeReported {
  'node'?: (string);
  'report'?: (_weft_v1_NodeReport | null);
}

export interface NodeReported__Output {
  'node': (string);
  'report': (_weft_v1_NodeReport__Output | null);
}
