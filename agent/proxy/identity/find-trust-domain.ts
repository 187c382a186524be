/** Learns the mesh's name from its controller, whose certificate leads to known roots. */
import { connect } from 'node:tls';
import { trustDomainOfController } from '../../../model/system-identity.js';

const timeoutMs = 10_000;

/** `address` is `host:port`; `ca` is PEM. Rejects where nobody answers who proves to be a mesh's controller. */
export function findTrustDomain(address: string, ca: string): Promise<string> {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(address) ?? [];
  return new Promise((resolve, reject) => {
    let trustDomain: string | null = null;
    const socket = connect({
      host: bracketed ?? plain ?? '',
      port: Number(port),
      ca,
      minVersion: 'TLSv1.3',
      ALPNProtocols: ['h2'],
      servername: 'controller',
      timeout: timeoutMs,
      checkServerIdentity: (_host, { subjectaltname: name = 'no name' }) => {
        trustDomain = name.startsWith('URI:') ? trustDomainOfController(name.slice('URI:'.length)) : null;
        return trustDomain === null
          ? new Error(`the server proves ${name.slice(0, 200)}, and is no controller`)
          : undefined;
      },
    });
    const fail = (cause: Error) => {
      socket.destroy();
      reject(
        new Error(`no controller of a mesh answers at ${address}; is the address right, and the CA file?`, {
          cause,
        }),
      );
    };
    socket.once('error', fail);
    socket.once('timeout', () => fail(new Error(`nothing came within ${timeoutMs} ms`)));
    socket.once('secureConnect', () => {
      // In order: a handshake that breaks off would be a refusal in the controller's books.
      socket.end();
      if (trustDomain !== null) resolve(trustDomain);
    });
  });
}
