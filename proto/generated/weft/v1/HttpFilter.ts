// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.

import type { HeaderEdits as _weft_v1_HeaderEdits, HeaderEdits__Output as _weft_v1_HeaderEdits__Output } from '../../weft/v1/HeaderEdits.js';
import type { Redirect as _weft_v1_Redirect, Redirect__Output as _weft_v1_Redirect__Output } from '../../weft/v1/Redirect.js';
import type { UrlRewrite as _weft_v1_UrlRewrite, UrlRewrite__Output as _weft_v1_UrlRewrite__Output } from '../../weft/v1/UrlRewrite.js';

export interface HttpFilter {
  'requestHeaderModifier'?: (_weft_v1_HeaderEdits | null);
  'responseHeaderModifier'?: (_weft_v1_HeaderEdits | null);
  'requestRedirect'?: (_weft_v1_Redirect | null);
  'urlRewrite'?: (_weft_v1_UrlRewrite | null);
  'filter'?: "requestHeaderModifier"|"responseHeaderModifier"|"requestRedirect"|"urlRewrite";
}

export interface HttpFilter__Output {
  'requestHeaderModifier'?: (_weft_v1_HeaderEdits__Output | null);
  'responseHeaderModifier'?: (_weft_v1_HeaderEdits__Output | null);
  'requestRedirect'?: (_weft_v1_Redirect__Output | null);
  'urlRewrite'?: (_weft_v1_UrlRewrite__Output | null);
  'filter'?: "requestHeaderModifier"|"responseHeaderModifier"|"requestRedirect"|"urlRewrite";
}
