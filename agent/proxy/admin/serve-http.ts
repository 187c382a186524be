/** Small read-only HTTP servers: metrics on TCP, admin on a Unix socket that only its owner can open. */
import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, ListenOptions } from 'node:net';
import { describeError, type ProcessLog } from '../start/process-log.js';

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

export type Handler = (query: URLSearchParams) => Answer | Promise<Answer>;

/** Handlers of GET by path. */
export type Handlers = Readonly<Record<string, Handler>>;

export const jsonAnswer = (status: number, value: unknown): Answer => ({
  status,
  type: 'application/json',
  body: `${JSON.stringify(value, null, 2)}\n`,
});

export const textAnswer = (status: number, body: string): Answer => ({
  status,
  type: 'text/plain; charset=utf-8',
  body,
});

/**
 * Resolves with the port that the kernel chose; rejects where the address cannot be taken.
 *
 * @param shared a process of the same user may listen there, too (SO_REUSEPORT)
 */
export async function serveTcp(
  { host, port, shared }: { readonly host: string; readonly port: number; readonly shared: boolean },
  handlers: Handlers,
  log: ProcessLog,
): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer(answerWith(handlers, log));
  await listen(server, { host, port, reusePort: shared });
  return { server, port: (server.address() as AddressInfo).port };
}

/** Takes the place of a socket that a killed proxy left; throws where the path holds anything else. */
export async function serveUnix(path: string, handlers: Handlers, log: ProcessLog): Promise<Server> {
  removeSocket(path);
  const server = createServer(answerWith(handlers, log));
  const mask = process.umask(0o177);
  try {
    await listen(server, { path });
  } finally {
    process.umask(mask);
  }
  chmodSync(path, 0o600);
  return server;
}

function removeSocket(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error(`${path} exists and is no socket; name another path for --admin`);
  unlinkSync(path);
}

function listen(server: Server, options: ListenOptions): Promise<void> {
  const place = options.path ?? `${options.host}:${options.port}`;
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new Error(`cannot listen on ${place}: ${cause.message}`, { cause })),
    );
    server.listen(options, resolve);
  });
}

function answerWith(handlers: Handlers, log: ProcessLog): RequestListener {
  const table = new Map(Object.entries(handlers));
  return (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const handler = table.get(url.pathname);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      send(response, textAnswer(405, 'only GET is answered here\n'));
    } else if (handler === undefined) {
      send(response, textAnswer(404, `no such page; there are ${[...table.keys()].join(' ')}\n`));
    } else {
      Promise.resolve(url.searchParams)
        .then(handler)
        .catch((error: unknown) => {
          log('error', `the page ${url.pathname} failed`, { error: describeError(error) });
          return textAnswer(500, 'failed; the log says why\n');
        })
        .then((answer) => send(response, answer));
    }
  };
}

function send(response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, {
    'content-type': answer.type,
    'content-length': Buffer.byteLength(answer.body),
  });
  response.end(answer.body);
}
