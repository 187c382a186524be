/** Roots for an authority's files. */
import { runCommand } from './run-command.js';

/** Makes a root with openssl, good for a day: `PATH.crt` and `PATH.key`, ECDSA P-256. */
export async function makeRoot(path: string, commonName: string): Promise<void> {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const extensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign'];
  await runCommand([
    ...[
      'openssl',
      'req',
      '-x509',
      '-config',
      '/dev/null',
      ...key,
      '-days',
      '1',
      '-subj',
      `/CN=${commonName}`,
    ],
    ...['-keyout', `${path}.key`, '-out', `${path}.crt`],
    ...extensions.flatMap((one) => ['-addext', one]),
  ]);
}
