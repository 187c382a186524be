/** For tests: an authority in memory that signs what it is told to, also what nobody should. */
import { webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  type JsonGeneralNames,
  KeyUsageFlags,
  KeyUsagesExtension,
  Pkcs10CertificateRequest,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from './x509.js';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** How a certificate differs from a right one. */
export interface Twist {
  readonly names?: JsonGeneralNames;
  readonly authority?: boolean;
  readonly usages?: readonly ExtendedKeyUsage[];
  readonly publicKey?: webcrypto.CryptoKey;
}

export class TestAuthority {
  readonly #keys: webcrypto.CryptoKeyPair;
  readonly #root: X509Certificate;

  private constructor(keys: webcrypto.CryptoKeyPair, root: X509Certificate) {
    this.#keys = keys;
    this.#root = root;
  }

  static async create(name: string, nowMs: number): Promise<TestAuthority> {
    const keys = await makeKeys();
    const root = await X509CertificateGenerator.create({
      serialNumber: '01',
      subject: `CN=${name}`,
      issuer: `CN=${name}`,
      notBefore: new Date(nowMs - 1000),
      notAfter: new Date(nowMs + 1e11),
      signingAlgorithm: algorithm,
      publicKey: keys.publicKey,
      signingKey: keys.privateKey,
      extensions: [
        new BasicConstraintsExtension(true, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      ],
    });
    return new TestAuthority(keys, root);
  }

  get root(): Uint8Array {
    return new Uint8Array(this.#root.rawData);
  }

  /** A certificate in DER for the request's key and name, from `nowMs` on. */
  async sign(csr: Uint8Array, nowMs: number, lifeMs: number, twist: Twist = {}): Promise<Uint8Array> {
    const request = new Pkcs10CertificateRequest(Buffer.from(csr));
    const asked = request.extensions.find(
      (one) => one instanceof SubjectAlternativeNameExtension,
    ) as Extension;
    const usages = twist.usages ?? [ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth];
    const issued = await X509CertificateGenerator.create({
      subject: '',
      issuer: this.#root.subjectName,
      notBefore: new Date(nowMs),
      notAfter: new Date(nowMs + lifeMs),
      signingAlgorithm: algorithm,
      publicKey: twist.publicKey ?? request.publicKey,
      signingKey: this.#keys.privateKey,
      extensions: [
        new BasicConstraintsExtension(twist.authority ?? false, undefined, true),
        new ExtendedKeyUsageExtension([...usages]),
        twist.names === undefined ? asked : new SubjectAlternativeNameExtension(twist.names, true),
      ],
    });
    return new Uint8Array(issued.rawData);
  }
}

export async function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
}
