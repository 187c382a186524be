// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.


export interface PathEdit {
  /**
   * ReplaceFullPath | ReplacePrefixMatch
   */
  'type'?: (string);
  'value'?: (string);
}

export interface PathEdit__Output {
  /**
   * ReplaceFullPath | ReplacePrefixMatch
   */
  'type': (string);
  'value': (string);
}
