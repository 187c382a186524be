/** A match of gRPC methods as an expression over paths; GEP-1016, Matcher Types. */
import type { PathMatch } from './route.js';

export type GrpcMethodMatch = Extract<PathMatch, { type: 'GrpcExact' | 'GrpcRegularExpression' }>;

/** The expression, anchored at both ends, whose paths the match means: `/service/method`. */
export function grpcExpression({ type, service, method }: GrpcMethodMatch): string {
  const part = (text: string) => {
    if (text === '') return '.+';
    // Names hold letters, digits, underscores and dots (checkRoute), of which the dot alone needs quoting.
    return type === 'GrpcExact' ? text.replaceAll('.', '\\.') : `(?:${text})`;
  };
  return `/${part(service)}/${part(method)}`;
}
