/** Asks the admin socket of a running part over HTTP. */
import { request } from 'node:http';
import { CommandError } from '../usage-error.js';

const timeoutMs = 10_000;

/** The body of an answer with status 200, or with another one of `accept`. Throws CommandError with the likely cause. */
export function askAdmin(
  socket: string,
  path: string,
  accept: readonly number[] = [200],
  method: 'GET' | 'POST' = 'GET',
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { socketPath: socket, path, method, timeout: timeoutMs, agent: false } as const;
    const asked = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', fail);
      response.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8');
        if (accept.includes(response.statusCode ?? 0)) resolve(body);
        else
          reject(new CommandError(`${socket} answered ${path} with ${response.statusCode}: ${body.trim()}`));
      });
    });
    const fail = (error: Error) => reject(explain(socket, error));
    asked.on('timeout', () => asked.destroy(new Error('it did not answer in time')));
    asked.on('error', fail);
    asked.end();
  });
}

/** As {@link askAdmin}, for JSON; the asked part is of the same build, so its answer has the asked shape. */
export async function askJson<Answer>(
  socket: string,
  path: string,
  accept?: readonly number[],
): Promise<Answer> {
  return JSON.parse(await askAdmin(socket, path, accept)) as Answer;
}

function explain(socket: string, error: NodeJS.ErrnoException): CommandError {
  switch (error.code) {
    case 'ENOENT':
    case 'ECONNREFUSED':
      return new CommandError(`nobody listens on ${socket}: is weft running? name its folder by --state`);
    case 'EACCES':
      return new CommandError(`${socket} is closed to this user: use sudo`);
    default:
      return new CommandError(`${socket} cannot be asked`, { cause: error });
  }
}
