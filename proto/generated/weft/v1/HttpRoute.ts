// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.

import type { RouteParent as _weft_v1_RouteParent, RouteParent__Output as _weft_v1_RouteParent__Output } from '../../weft/v1/RouteParent.js';
import type { HttpRouteRule as _weft_v1_HttpRouteRule, HttpRouteRule__Output as _weft_v1_HttpRouteRule__Output } from '../../weft/v1/HttpRouteRule.js';
import type { Long } from '@grpc/proto-loader';

export interface HttpRoute {
  'namespace'?: (string);
  'name'?: (string);
  'parents'?: (_weft_v1_RouteParent)[];
  'hostnames'?: (string)[];
  'rules'?: (_weft_v1_HttpRouteRule)[];
  'createdMs'?: (number | string | Long);
}

export interface HttpRoute__Output {
  'namespace': (string);
  'name': (string);
  'parents': (_weft_v1_RouteParent__Output)[];
  'hostnames': (string)[];
  'rules': (_weft_v1_HttpRouteRule__Output)[];
  'createdMs': (number);
}
