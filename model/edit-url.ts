/** New URLs: a redirect's Location and a rewritten target, as HTTPRoute's filters define them (GEP-726). */
import type { RedirectFilter, UrlRewrite } from './compile-filters.js';
import type { PathEdit } from './route.js';

/** The request as far as a new URL needs it. */
export interface RequestUrl {
  readonly scheme: 'http' | 'https';
  /** The authority's host (see normalizeHost). */
  readonly host: string;
  /** The port that the client dialled: a mesh has no listener, the service's port takes its place. */
  readonly port: number;
  /** The path's normal form. */
  readonly path: string;
  /** Without its `?`; empty where there is none. */
  readonly query: string;
}

/**
 * The Location of a redirect: an absolute URL. What the filter leaves out is the request's own; the query stays. With
 * a scheme and no port the port is the scheme's own, with neither it is the one dialled; a scheme's own port is
 * not written.
 *
 * @param prefixLength characters of the path prefix that matched (see CompiledMatch.prefixLength)
 */
export function redirectLocation(filter: RedirectFilter, url: RequestUrl, prefixLength: number): string {
  const scheme = filter.scheme ?? url.scheme;
  const wellKnown = scheme === 'https' ? 443 : 80;
  const port = filter.port ?? (filter.scheme === undefined ? url.port : wellKnown);
  const host = filter.hostname ?? url.host;
  const path = filter.path === undefined ? url.path : editPath(filter.path, url.path, prefixLength);
  return `${scheme}://${host}${port === wellKnown ? '' : `:${port}`}${withQuery(path, url.query)}`;
}

/** The request target of a rewrite: path and query. */
export function rewriteTarget(
  rewrite: UrlRewrite,
  url: Pick<RequestUrl, 'path' | 'query'>,
  prefixLength: number,
): string {
  const path = rewrite.path === undefined ? url.path : editPath(rewrite.path, url.path, prefixLength);
  return withQuery(path, url.query);
}

/**
 * A path after an edit. ReplacePrefixMatch takes the matched prefix away by whole elements and puts the value in its
 * place without doubling or losing the slash between them: `/foo/bar` with the prefix `/foo` becomes `/bar` for
 * an empty value or `/`, `/xyz/bar` for `/xyz` or `/xyz/`; `/foo` becomes `/` or `/xyz` or `/xyz/`.
 */
export function editPath(edit: PathEdit, path: string, prefixLength: number): string {
  if (edit.type === 'ReplaceFullPath') return edit.value.startsWith('/') ? edit.value : `/${edit.value}`;
  const rest = path.slice(prefixLength);
  const value = edit.value.startsWith('/') || edit.value === '' ? edit.value : `/${edit.value}`;
  if (rest.startsWith('/')) return value.endsWith('/') ? value.slice(0, -1) + rest : value + rest;
  return value === '' ? '/' : value;
}

function withQuery(path: string, query: string): string {
  return query === '' ? path : `${path}?${query}`;
}
