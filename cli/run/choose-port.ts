/**
 * Chooses a free TCP port once, so that a restarted proxy serves its metrics where it did before. Proxies that replace each
 * other share it, so that only here it shows that somebody else has it.
 */

import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { CommandError } from '../usage-error.js';

/** `HOST:PORT` with a port that is free now: the given one, or any where that is 0. Throws CommandError where there is none. */
export async function choosePort(hostPort: string): Promise<string> {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(hostPort);
  const host = match?.[1] ?? match?.[2];
  if (match === null || host === undefined) return hostPort;
  const wanted = Number(match[3]);
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        new CommandError(
          `${hostPort} cannot be used for metrics (${error.message}); name another by --metrics`,
          {
            cause: error,
          },
        ),
      );
    });
    server.listen({ host, port: wanted }, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(wanted === 0 ? `${hostPort.slice(0, -1)}${port}` : hostPort));
    });
  });
}
