/**
 * The controller's own certificates, towards nodes and towards other replicas: issued by its authority, renewed in time
 * and when the signer changes.
 */
import { webcrypto } from 'node:crypto';
import { controllerSpiffeId, replicaSpiffeId } from '../../model/system-identity.js';
import type { Authority } from './authority.js';
import {
  ecdsaP256,
  PemConverter,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
} from './x509.js';

/** PEM texts, as node:tls takes them. */
export interface ServerIdentity {
  readonly key: string;
  /** The certificate, then intermediates. */
  readonly cert: string;
  /** The roots that the other end's certificate must lead to. */
  readonly ca: string;
}

/** Part of a certificate's life after which the next one is asked for. */
const renewAt = 0.5;

export class ControllerCertificate {
  readonly #authority: Authority;
  readonly #now: () => number;
  readonly #take: (identity: ServerIdentity) => void;
  readonly #kind: 'controller' | 'replica';
  #held: { readonly key: string; readonly cert: string; readonly renewAtMs: number } | null = null;
  #roots = '';
  #trustDomain = '';

  /** `take` gets each new identity. `kind`: controller, as a server of nodes; replica, as a client of another replica. */
  constructor(
    authority: Authority,
    now: () => number,
    take: (identity: ServerIdentity) => void,
    kind: 'controller' | 'replica' = 'controller',
  ) {
    this.#kind = kind;
    this.#authority = authority;
    this.#now = now;
    this.#take = take;
  }

  /** Looks whether something is due; call it often. What fails is in the authority's log, and tried again. */
  async refresh(): Promise<void> {
    const { bundle } = this.#authority;
    if (bundle === null) return;
    const { trustDomain } = bundle;
    const roots = bundle.roots.map((der) => pem(der, 'CERTIFICATE')).join('');
    const changed = roots !== this.#roots || trustDomain !== this.#trustDomain;
    if (!changed && this.#held !== null && this.#now() < this.#held.renewAtMs) return;
    const renewed = await this.#renew(trustDomain);
    if (renewed) this.#trustDomain = trustDomain;
    if (this.#held === null || !(renewed || changed)) return;
    this.#roots = roots;
    this.#take({ key: this.#held.key, cert: this.#held.cert, ca: roots });
  }

  async #renew(trustDomain: string): Promise<boolean> {
    const keys = (await webcrypto.subtle.generateKey(ecdsaP256, true, [
      'sign',
      'verify',
    ])) as webcrypto.CryptoKeyPair;
    const id = this.#kind === 'controller' ? controllerSpiffeId : replicaSpiffeId;
    const name = { type: 'url', value: id(trustDomain) } as const;
    const request = await Pkcs10CertificateRequestGenerator.create({
      keys,
      signingAlgorithm: ecdsaP256,
      extensions: [new SubjectAlternativeNameExtension([name], true)],
    });
    const beganMs = this.#now();
    const csr = new Uint8Array(request.rawData);
    const result = await this.#authority.issue({ node: '', subject: { kind: this.#kind }, csr });
    if (!result.ok) return false;
    const key = new Uint8Array(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
    this.#held = {
      key: pem(key, 'PRIVATE KEY'),
      cert: result.chain.map((der) => pem(der, 'CERTIFICATE')).join(''),
      renewAtMs: beganMs + (result.expiresMs - beganMs) * renewAt,
    };
    return true;
  }
}

function pem(der: Uint8Array, type: string): string {
  return `${PemConverter.encode(Buffer.from(der), type)}\n`;
}
