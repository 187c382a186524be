/** Certificates that nobody should have: signed by another root, or by the mesh's own authority as a thief of its key could. */
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const minuteMs = 60_000;

/** What a certificate says; what is left out is right. */
export interface Claims {
  /** URI names. */
  readonly uris: readonly string[];
  /** Minutes from now. */
  readonly fromMinutes?: number;
  readonly toMinutes?: number;
  readonly usages?: readonly ExtendedKeyUsage[];
  readonly authority?: boolean;
}

/** Files in PEM that openssl and curl read. */
export interface CredentialFiles {
  readonly certificate: string;
  readonly key: string;
}

interface Signer {
  /** undefined: it signs itself. */
  readonly certificate: X509Certificate | undefined;
  readonly key: webcrypto.CryptoKey;
}

export const usages = ExtendedKeyUsage;

export class RogueAuthority {
  readonly #signer: Signer;
  readonly #folder: string;
  #issued = 0;

  private constructor(signer: Signer, folder: string) {
    this.#signer = signer;
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  /** With the key of the mesh's own authority. */
  static async withStolenKey(authorityFolder: string, folder: string): Promise<RogueAuthority> {
    const read = (name: string) => readFileSync(join(authorityFolder, name), 'utf8');
    const key = await webcrypto.subtle.importKey(
      'pkcs8',
      PemConverter.decodeFirst(read('tls.key')),
      algorithm,
      false,
      ['sign'],
    );
    return new RogueAuthority({ certificate: new X509Certificate(read('tls.crt')), key }, folder);
  }

  /** A root of its own; `likeness` lends its name. */
  static async ofItsOwn(likeness: string, folder: string): Promise<RogueAuthority> {
    const keys = await makeKeys();
    const name = new X509Certificate(readFileSync(likeness, 'utf8')).subject;
    const certificate = await X509CertificateGenerator.createSelfSigned({
      name,
      notBefore: new Date(Date.now() - minuteMs),
      notAfter: new Date(Date.now() + 60 * minuteMs),
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      ],
    });
    return new RogueAuthority({ certificate, key: keys.privateKey }, folder);
  }

  async issue(claims: Claims): Promise<CredentialFiles> {
    const keys = await makeKeys();
    const certificate = await this.#sign(claims, keys, this.#signer);
    return this.#write([certificate, this.#signer.certificate], keys);
  }

  /** A certificate that its own key has signed. */
  async selfSign(claims: Claims): Promise<CredentialFiles> {
    const keys = await makeKeys();
    const own = { certificate: undefined, key: keys.privateKey };
    return this.#write([await this.#sign(claims, keys, own)], keys);
  }

  #sign(claims: Claims, keys: webcrypto.CryptoKeyPair, signer: Signer): Promise<X509Certificate> {
    const names = claims.uris.map((value) => ({ type: 'url' as const, value }));
    return X509CertificateGenerator.create({
      subject: '',
      issuer: signer.certificate?.subjectName ?? '',
      notBefore: new Date(Date.now() + (claims.fromMinutes ?? -1) * minuteMs),
      notAfter: new Date(Date.now() + (claims.toMinutes ?? 30) * minuteMs),
      signingAlgorithm: algorithm,
      publicKey: keys.publicKey,
      signingKey: signer.key,
      extensions: [
        new BasicConstraintsExtension(claims.authority ?? false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([...(claims.usages ?? [usages.serverAuth, usages.clientAuth])]),
        new SubjectAlternativeNameExtension(names, true),
      ],
    });
  }

  async #write(
    chain: readonly (X509Certificate | undefined)[],
    keys: webcrypto.CryptoKeyPair,
  ): Promise<CredentialFiles> {
    this.#issued += 1;
    const files = {
      certificate: join(this.#folder, `${this.#issued}.crt`),
      key: join(this.#folder, `${this.#issued}.key`),
    };
    writeFileSync(files.certificate, `${chain.map((one) => one?.toString('pem') ?? '').join('\n')}\n`);
    const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
    writeFileSync(files.key, PemConverter.encode(key, 'PRIVATE KEY'));
    return files;
  }
}

async function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
}
