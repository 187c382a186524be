/** For tests: a mesh's authority and its workloads' certificates, made by openssl in a folder of their own. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IdentityOptions } from './engine.js';

const days = ['-days', '1'];
const p256 = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-sha256'];

export class TestAuthority {
  readonly #folder = mkdtempSync(join(tmpdir(), 'weft-certificates-'));
  /** The root, PEM. */
  readonly trust: string;

  constructor() {
    this.#make('root', ['-subj', '/CN=root', '-addext', 'keyUsage=critical,keyCertSign,cRLSign']);
    this.trust = this.#read('root.crt');
  }

  /** What setIdentity takes for the workload of this SPIFFE id. */
  identity(spiffeId: string, generation = 1): IdentityOptions {
    this.#make('leaf', [
      ...['-CA', this.#path('root.crt'), '-CAkey', this.#path('root.key'), '-subj', '/CN=leaf'],
      ...['-addext', 'basicConstraints=critical,CA:FALSE', '-addext', 'keyUsage=critical,digitalSignature'],
      ...['-addext', 'extendedKeyUsage=serverAuth,clientAuth', '-addext', `subjectAltName=URI:${spiffeId}`],
    ]);
    return {
      certificate: this.#read('leaf.crt'),
      key: this.#read('leaf.key'),
      trust: this.trust,
      spiffeId,
      generation,
    };
  }

  close(): void {
    rmSync(this.#folder, { recursive: true });
  }

  #make(name: string, extra: readonly string[]): void {
    const out = ['-keyout', this.#path(`${name}.key`), '-out', this.#path(`${name}.crt`)];
    const { status, stderr } = spawnSync('openssl', ['req', '-x509', ...p256, ...days, ...out, ...extra]);
    if (status !== 0) throw new Error(`openssl cannot make ${name}: ${stderr}`);
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }

  #read(name: string): string {
    return readFileSync(this.#path(name), 'utf8');
  }
}
