// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.


export interface LabelSelector {
  'labels'?: ({[key: string]: string});
}

export interface LabelSelector__Output {
  'labels': ({[key: string]: string});
}
