/** Which protocol a port carries, as its declaration says. Nothing is ever guessed from the port's number. */
import type { AppProtocol } from '../../model/workload.js';

/** Kubernetes' standard names (KEP-3726), IANA service names and the prefixes in use for port names. */
const protocols: Readonly<Record<string, AppProtocol>> = {
  'kubernetes.io/h2c': 'http2',
  'kubernetes.io/ws': 'http',
  'kubernetes.io/wss': 'tls',
  http: 'http',
  http2: 'http2',
  h2c: 'http2',
  grpc: 'grpc',
  https: 'tls',
  tls: 'tls',
  tcp: 'tcp',
};

/**
 * `appProtocol` where given, else the port name's part before the first `-`, else tcp. A protocol that weft does
 * not read (mysql, redis) is opaque bytes.
 */
export function readAppProtocol(appProtocol: string | undefined, portName: string): AppProtocol {
  const declared = appProtocol ?? portName.split('-', 1)[0] ?? '';
  return Object.hasOwn(protocols, declared.toLowerCase())
    ? (protocols[declared.toLowerCase()] ?? 'tcp')
    : 'tcp';
}

/** Whether a port says what it carries: by any appProtocol, or by a name that begins with a protocol weft reads. */
export function declaresProtocol(appProtocol: string | undefined, portName: string): boolean {
  return (
    appProtocol !== undefined || Object.hasOwn(protocols, (portName.split('-', 1)[0] ?? '').toLowerCase())
  );
}
