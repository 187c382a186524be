// Generated from proto/weft/v1/identity.proto by scripts/generate-proto.mjs; do not edit.


export interface WatchBundleRequest {
  'node'?: (string);
}

export interface WatchBundleRequest__Output {
  'node': (string);
}
