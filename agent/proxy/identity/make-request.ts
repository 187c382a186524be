/** Makes a key and a certificate request for it. Loaded late: the X.509 library is large. */
import { createPublicKey, type KeyObject, webcrypto } from 'node:crypto';
import { Pkcs10CertificateRequestGenerator, SubjectAlternativeNameExtension } from './x509.js';

/** The key never leaves this node. */
export interface KeyAndRequest {
  /** PKCS#10 in DER. */
  readonly csr: Uint8Array;
  /** PKCS#8 in DER. */
  readonly privateKey: Uint8Array;
  readonly publicKey: KeyObject;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** A new key on P-256 and a request that names `spiffeId` and nothing else. */
export async function makeRequest(spiffeId: string): Promise<KeyAndRequest> {
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair;
  const request = await Pkcs10CertificateRequestGenerator.create({
    keys,
    signingAlgorithm: algorithm,
    // Critical, because the subject is empty (RFC 5280, section 4.2.1.6): signers that copy it keep that.
    extensions: [new SubjectAlternativeNameExtension([{ type: 'url', value: spiffeId }], true)],
  });
  const [pkcs8, spki] = await Promise.all([
    webcrypto.subtle.exportKey('pkcs8', keys.privateKey),
    webcrypto.subtle.exportKey('spki', keys.publicKey),
  ]);
  return {
    csr: new Uint8Array(request.rawData),
    privateKey: new Uint8Array(pkcs8),
    publicKey: createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' }),
  };
}
