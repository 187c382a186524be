/** Chooses a free TCP port once, so that a restarted proxy serves its metrics where it did before. */

import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { CommandError } from '../usage-error.js';

/** `HOST:PORT` with a port that is free now, where the given one is 0. Throws CommandError where HOST cannot be used. */
export async function choosePort(hostPort: string): Promise<string> {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):0$/.exec(hostPort);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined) return hostPort;
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        new CommandError(`no port of ${host} can be used for metrics; name another by --metrics`, {
          cause: error,
        }),
      );
    });
    server.listen({ host, port: 0 }, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(`${hostPort.slice(0, -1)}${port}`));
    });
  });
}
