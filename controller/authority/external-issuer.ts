/**
 * An issuer behind files: requests are laid into a folder, whoever signs lays certificates beside them.
 *   ca.crt                 roots (PEM), kept there by the signer
 *   requests/ID.KIND.csr   a request (PEM), checked and authorized; appears by rename. KIND tells the extended key usage
 *                          to certify: workload (serverAuth and clientAuth), node and replica (clientAuth), controller (serverAuth)
 *   certificates/ID.crt    the answer (PEM): the certificate, then intermediates; must appear by rename
 * Both files of an answered request are removed.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodePem } from './authority-files.js';
import type { Chain, Issuer, SigningRequest } from './issuer.js';
import { PemConverter } from './x509.js';

export interface ExternalSettings {
  readonly folder: string;
  /** How long the signer may take. */
  readonly timeoutMs: number;
  /** Resolves after so many milliseconds. */
  readonly wait: (ms: number) => Promise<void>;
}

const lookMs = 100;

export class ExternalIssuer implements Issuer {
  readonly #settings: ExternalSettings;
  readonly #requests: string;
  readonly #certificates: string;
  #prepared = false;

  constructor(settings: ExternalSettings) {
    this.#settings = settings;
    this.#requests = join(settings.folder, 'requests');
    this.#certificates = join(settings.folder, 'certificates');
  }

  async refresh(): Promise<readonly Uint8Array[]> {
    if (!this.#prepared) await this.#prepare();
    const path = join(this.#settings.folder, 'ca.crt');
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (cause) {
      throw new Error(`cannot read ${path}: the external issuer keeps its roots there`, { cause });
    }
    return decodePem(path, text);
  }

  async sign({ csr, purpose }: SigningRequest): Promise<Chain> {
    const { timeoutMs, wait, folder } = this.#settings;
    const id = randomBytes(8).toString('hex');
    const request = join(this.#requests, `${id}.${purpose}.csr`);
    const answer = join(this.#certificates, `${id}.crt`);
    try {
      const partial = join(this.#requests, `.${id}`);
      await writeFile(partial, `${PemConverter.encode(Buffer.from(csr), 'CERTIFICATE REQUEST')}\n`, {
        mode: 0o640,
      });
      await rename(partial, request);
      for (let waitedMs = 0; waitedMs < timeoutMs; waitedMs += lookMs) {
        const text = await readIfThere(answer);
        if (text !== null) return decodePem(answer, text);
        await wait(lookMs);
      }
    } finally {
      await Promise.all([request, answer].map((path) => rm(path, { force: true })));
    }
    throw new Error(`the external issuer at ${folder} did not answer request ${id} within ${timeoutMs} ms`);
  }

  /** Requests that an earlier controller left wait for nobody. */
  async #prepare(): Promise<void> {
    for (const folder of [this.#requests, this.#certificates]) {
      await mkdir(folder, { recursive: true, mode: 0o770 });
      for (const name of await readdir(folder)) await rm(join(folder, name), { force: true });
    }
    this.#prepared = true;
  }
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new Error(`cannot read ${path}`, { cause: error });
  }
}
