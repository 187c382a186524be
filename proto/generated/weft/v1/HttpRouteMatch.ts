// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.

import type { NamedMatch as _weft_v1_NamedMatch, NamedMatch__Output as _weft_v1_NamedMatch__Output } from '../../weft/v1/NamedMatch.js';

export interface HttpRouteMatch {
  /**
   * Exact | PathPrefix | RegularExpression; of a GRPCRoute: PathPrefix (/) | GrpcExact | GrpcRegularExpression
   */
  'pathType'?: (string);
  'pathValue'?: (string);
  'headers'?: (_weft_v1_NamedMatch)[];
  'queryParams'?: (_weft_v1_NamedMatch)[];
  /**
   * Empty: any.
   */
  'method'?: (string);
  /**
   * With the types of gRPC; empty is any.
   */
  'grpcService'?: (string);
  'grpcMethod'?: (string);
}

export interface HttpRouteMatch__Output {
  /**
   * Exact | PathPrefix | RegularExpression; of a GRPCRoute: PathPrefix (/) | GrpcExact | GrpcRegularExpression
   */
  'pathType': (string);
  'pathValue': (string);
  'headers': (_weft_v1_NamedMatch__Output)[];
  'queryParams': (_weft_v1_NamedMatch__Output)[];
  /**
   * Empty: any.
   */
  'method': (string);
  /**
   * With the types of gRPC; empty is any.
   */
  'grpcService': (string);
  'grpcMethod': (string);
}
