/** What `weft why` asks, and how it asks a proxy. */

/** A request as it was asked for on the command line. */
export interface AskedRequest {
  readonly source: string;
  readonly destination: string;
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly host: string | undefined;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** The query of the proxy's /why. */
export function writeQuestion(asked: AskedRequest): URLSearchParams {
  const { source, destination, method, path, host, headers } = asked;
  const query = new URLSearchParams({ source, destination });
  if (method !== undefined) query.set('method', method);
  if (path !== undefined) query.set('path', path);
  if (host !== undefined) query.set('host', host);
  for (const [name, value] of headers) query.set(`header.${name}`, value);
  return query;
}
