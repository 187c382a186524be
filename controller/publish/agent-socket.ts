/** Where the node of the controller's own machine connects: a Unix socket. */
import { chmodSync, rmSync } from 'node:fs';
import { type Server, ServerCredentials } from '@grpc/grpc-js';

/** Binds, in place of what a killed controller left. Its group may connect too: weft run makes that the proxy's. */
export function listenOnSocket(server: Server, path: string): Promise<void> {
  rmSync(path, { force: true });
  return new Promise((resolve, reject) => {
    server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (cause) => {
      if (cause !== null) {
        reject(new Error(`cannot listen on unix:${path}; is another controller running?`, { cause }));
        return;
      }
      chmodSync(path, 0o660);
      resolve();
    });
  });
}
