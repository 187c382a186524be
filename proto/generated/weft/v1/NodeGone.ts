// Generated from proto/weft/v1/replica.proto by scripts/generate-proto.mjs; do not edit.


export interface NodeGone {
  'node'?: (string);
}

export interface NodeGone__Output {
  'node': (string);
}
