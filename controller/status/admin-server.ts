/** Plain HTTP for people and programs of this machine: GET /status, /ready, /metrics; POST /tokens. */
import { chmod, rm } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';

/** Answers by path, or by `POST path` where it changes something; a text is sent as text/plain, all else as JSON. */
export type AdminPages = Readonly<Record<string, (query: URLSearchParams) => unknown>>;

/** What a page throws where it was asked wrongly: the message is answered with 400. */
export class BadQuestion extends Error {}

/** Serves pages on a Unix socket (for this user and root only) or on `host:port`. Resolves once it listens. */
export async function serveAdmin(
  where: { readonly path: string } | { readonly host: string; readonly port: number },
  pages: AdminPages,
): Promise<Server> {
  const server = createServer((request, response) => {
    const [path = '/', query = ''] = (request.url ?? '/').split('?', 2);
    const name = request.method === 'GET' ? path : `${request.method} ${path}`;
    const page = Object.hasOwn(pages, name) ? pages[name] : undefined;
    if (page === undefined)
      return answer(response, 404, { error: `no page ${name}`, pages: Object.keys(pages) });
    Promise.resolve()
      .then(() => page(new URLSearchParams(query)))
      .then((body) => answer(response, 200, body))
      .catch((error: unknown) => {
        if (error instanceof BadQuestion) answer(response, 400, { error: error.message });
        else answer(response, 500, { error: String(error) });
      });
  });
  server.headersTimeout = 5000;
  server.requestTimeout = 10_000;
  server.maxConnections = 64;
  if ('path' in where) await rm(where.path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, resolve);
  });
  if ('path' in where) await chmod(where.path, 0o600);
  return server;
}

function answer(response: ServerResponse, code: number, body: unknown): void {
  const text = typeof body === 'string' ? body : `${JSON.stringify(body, null, 2)}\n`;
  const type = typeof body === 'string' ? 'text/plain; version=0.0.4; charset=utf-8' : 'application/json';
  response.writeHead(code, { 'content-type': type, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
