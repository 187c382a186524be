// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.

import type { Problem as _weft_v1_Problem, Problem__Output as _weft_v1_Problem__Output } from '../../weft/v1/Problem.js';

export interface Refusal {
  'kind'?: (string);
  'name'?: (string);
  'version'?: (string);
  'problems'?: (_weft_v1_Problem)[];
}

export interface Refusal__Output {
  'kind': (string);
  'name': (string);
  'version': (string);
  'problems': (_weft_v1_Problem__Output)[];
}
