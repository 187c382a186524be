/** Routes, as Gateway API v1.6 defines HTTPRoute and GRPCRoute for a mesh (GAMMA, GEP-1294), after parsing. */

/** Exact compares code unit by code unit; RegularExpression is RE2, anchored at both ends. */
export type StringMatch =
  | { readonly type: 'Exact'; readonly value: string }
  | { readonly type: 'RegularExpression'; readonly value: string };

export type PathMatch =
  | { readonly type: 'Exact'; readonly value: string }
  /** By whole path elements: /abc matches /abc and /abc/d, not /abcd. */
  | { readonly type: 'PathPrefix'; readonly value: string }
  | { readonly type: 'RegularExpression'; readonly value: string }
  /** A gRPC request's path, `/service/method` (GRPCMethodMatch); an empty part is any, one of the two is given. */
  | { readonly type: 'GrpcExact'; readonly service: string; readonly method: string }
  | { readonly type: 'GrpcRegularExpression'; readonly service: string; readonly method: string };

/** A header (name lower-cased) or a query parameter (name as it stands). */
export interface NamedMatch {
  readonly name: string;
  readonly match: StringMatch;
}

/** All given parts must match. */
export interface HttpRouteMatch {
  readonly path: PathMatch;
  readonly headers: readonly NamedMatch[];
  readonly queryParams: readonly NamedMatch[];
  /** Upper-case method, undefined for any. */
  readonly method: string | undefined;
}

export interface HeaderValue {
  readonly name: string;
  readonly value: string;
}

export interface HeaderEdits {
  readonly set: readonly HeaderValue[];
  readonly add: readonly HeaderValue[];
  readonly remove: readonly string[];
}

export type PathEdit =
  | { readonly type: 'ReplaceFullPath'; readonly value: string }
  | { readonly type: 'ReplacePrefixMatch'; readonly value: string };

export type HttpFilter =
  | { readonly type: 'RequestHeaderModifier'; readonly edits: HeaderEdits }
  | { readonly type: 'ResponseHeaderModifier'; readonly edits: HeaderEdits }
  | {
      readonly type: 'RequestRedirect';
      readonly scheme: 'http' | 'https' | undefined;
      readonly hostname: string | undefined;
      readonly path: PathEdit | undefined;
      readonly port: number | undefined;
      readonly statusCode: 301 | 302 | 303 | 307 | 308;
    }
  | {
      readonly type: 'URLRewrite';
      readonly hostname: string | undefined;
      readonly path: PathEdit | undefined;
    };

export interface Backend {
  /** The service that it names; null where the reference cannot be resolved or is not permitted (500). */
  readonly service: { readonly namespace: string; readonly name: string; readonly port: number } | null;
  readonly weight: number;
  readonly filters: readonly HttpFilter[];
}

/** Retries happen on a failed connect always (it is safe), on more only where a rule asks. */
export interface Retry {
  /** Response statuses that are tried again. */
  readonly codes: readonly number[];
  /** Attempts after the first. */
  readonly attempts: number;
  readonly backoffMs: number;
}

export interface HttpRouteRule {
  readonly name: string;
  /** Any of them; never empty (Gateway API's default is one match of the prefix /). */
  readonly matches: readonly HttpRouteMatch[];
  readonly filters: readonly HttpFilter[];
  readonly backends: readonly Backend[];
  /** 0 is no limit. */
  readonly requestTimeoutMs: number;
  readonly backendTimeoutMs: number;
  readonly retry: Retry | undefined;
}

/** The service, and where given the one port of it, whose traffic a route decides. */
export interface RouteParent {
  readonly namespace: string;
  readonly name: string;
  readonly port: number | undefined;
}

/** As resources are named; each kind has names of its own. */
export type RouteKind = 'http-route' | 'grpc-route';

/** An HTTPRoute; or a GRPCRoute, whose rules match POST and have header modifiers for filters. */
export interface HttpRoute {
  readonly kind: RouteKind;
  readonly namespace: string;
  readonly name: string;
  readonly parents: readonly RouteParent[];
  /** Empty is any. Lower case; a leading `*.` matches one or more labels. */
  readonly hostnames: readonly string[];
  readonly rules: readonly HttpRouteRule[];
  /** For precedence: the older route wins. */
  readonly createdMs: number;
}
