/** Certificates for the ways on which hops prove who they are: one authority, one pair for each side. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** PEM files of one side of mutual TLS. */
export interface Credentials {
  readonly certificate: string;
  readonly key: string;
  /** Certificate and key in one file, as haproxy reads them. */
  readonly pair: string;
  /** Whom it trusts. */
  readonly trust: string;
}

/** The DNS name in every certificate, which the other side checks. */
export const credentialName = 'hop.bench.example';

/** Makes credentials below a folder: ECDSA P-256, as weft's are. */
export function createCredentials(directory: string): Credentials {
  const file = (name: string) => join(directory, name);
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc'];
  openssl(
    ...['req', '-x509', ...key, '-keyout', file('ca.key'), '-out', file('ca.crt')],
    ...['-days', '2', '-subj', '/CN=bench authority'],
  );
  openssl(
    ...['req', '-x509', ...key, '-keyout', file('hop.key'), '-out', file('hop.crt'), '-days', '1'],
    ...['-CA', file('ca.crt'), '-CAkey', file('ca.key'), '-subj', '/CN=hop'],
    ...['-addext', `subjectAltName=DNS:${credentialName}`, '-addext', 'basicConstraints=critical,CA:FALSE'],
    ...['-addext', 'keyUsage=critical,digitalSignature', '-addext', 'extendedKeyUsage=serverAuth,clientAuth'],
  );
  writeFileSync(
    file('hop.pem'),
    readFileSync(file('hop.crt'), 'utf8') + readFileSync(file('hop.key'), 'utf8'),
  );
  return {
    certificate: file('hop.crt'),
    key: file('hop.key'),
    pair: file('hop.pem'),
    trust: file('ca.crt'),
  };
}
