/**
 * An authority in a folder, under the names of a Kubernetes TLS Secret, so that a mounted one is such a folder:
 * tls.key (PKCS#8 or SEC 1), tls.crt (the issuing certificate, then those above it) and ca.crt (roots to trust).
 */
import { createPrivateKey, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findBundleProblem } from '../../proto/check-svid.js';
import {
  BasicConstraintsExtension,
  ecdsaP256,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from './x509.js';

const names = ['tls.key', 'tls.crt', 'ca.crt'] as const;
const maxFileBytes = 256 * 1024;
const minute = 60_000;
/** A root of one machine is replaced by hand, with overlap; see docs/identity.md. */
const rootLifeMs = 10 * 365 * 24 * 60 * minute;
/** Nodes whose clocks are behind shall trust a root that has just been made. */
const backdatedMs = 24 * 60 * minute;

/** Who signs, read from the files and found to be consistent. */
export interface Signer {
  readonly certificate: X509Certificate;
  readonly key: webcrypto.CryptoKey;
  /** ECDSA with the hash that fits the key's curve. */
  readonly algorithm: { readonly name: 'ECDSA'; readonly namedCurve: string; readonly hash: string };
  /** Sent after each certificate: the issuing certificate and those above, without roots. DER. */
  readonly intermediates: readonly Uint8Array[];
}

export interface AuthorityFiles {
  readonly signer: Signer;
  /** DER. */
  readonly roots: readonly Uint8Array[];
}

/** Changes when any of the files does; null where there is no authority. */
export async function stampAuthority(folder: string): Promise<string | null> {
  const stamps = await Promise.all(
    names.map(async (name) => {
      try {
        const { ino, mtimeMs, size } = await stat(join(folder, name));
        return `${ino}:${mtimeMs}:${size}`;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
        throw new Error(`cannot look at ${join(folder, name)}`, { cause: error });
      }
    }),
  );
  return stamps.every((stamp) => stamp === '') ? null : stamps.join(' ');
}

/** Throws Error with what is wrong with which file. */
export async function loadAuthority(
  folder: string,
  trustDomain: string,
  nowMs: number,
): Promise<AuthorityFiles> {
  const [keyText, chainText, rootsText] = await Promise.all(names.map((name) => readPem(folder, name)));
  await refuseReadableKey(join(folder, 'tls.key'));
  const roots = decodePem(join(folder, 'ca.crt'), rootsText as string);
  const bundleProblem = findBundleProblem(roots);
  if (bundleProblem !== null) throw new Error(`${join(folder, 'ca.crt')}: ${bundleProblem}`);
  const chain = decodePem(join(folder, 'tls.crt'), chainText as string);
  const certificate = new X509Certificate(chain[0] as Uint8Array);
  const problem = findIssuerProblem(certificate, trustDomain, nowMs);
  if (problem !== null) throw new Error(`${join(folder, 'tls.crt')}: ${problem}`);
  const intermediates = chain.filter((der) => !roots.some((root) => Buffer.compare(root, der) === 0));
  return {
    signer: { certificate, intermediates, ...(await readKey(folder, keyText as string, certificate)) },
    roots,
  };
}

/** Makes a root and its key; the folder appears whole or not at all. Throws where it exists. */
export async function makeAuthority(folder: string, trustDomain: string, nowMs: number): Promise<void> {
  const keys = (await webcrypto.subtle.generateKey(ecdsaP256, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair;
  const name = `CN=weft root ${new Date(nowMs).toISOString().slice(0, 10)}, O=${trustDomain}`;
  const root = await X509CertificateGenerator.create({
    serialNumber: makeSerial(),
    subject: name,
    issuer: name,
    notBefore: new Date(nowMs - backdatedMs),
    notAfter: new Date(nowMs + rootLifeMs),
    signingAlgorithm: ecdsaP256,
    publicKey: keys.publicKey,
    signingKey: keys.privateKey,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      new SubjectAlternativeNameExtension([{ type: 'url', value: `spiffe://${trustDomain}` }]),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  await mkdir(dirname(folder), { recursive: true });
  const made = await mkdtemp(`${folder}.`);
  try {
    const pem = `${root.toString('pem')}\n`;
    await writeFile(join(made, 'tls.key'), `${PemConverter.encode(key, 'PRIVATE KEY')}\n`, { mode: 0o600 });
    await writeFile(join(made, 'tls.crt'), pem, { mode: 0o600 });
    await writeFile(join(made, 'ca.crt'), pem, { mode: 0o600 });
    await rename(made, folder);
  } catch (cause) {
    await rm(made, { recursive: true, force: true });
    throw new Error(`cannot make an authority in ${folder}`, { cause });
  }
}

/** Twenty random octets at most, positive (RFC 5280, section 4.1.2.2); here sixteen. Hexadecimal. */
export function makeSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] as number) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

async function readPem(folder: string, name: string): Promise<string> {
  const path = join(folder, name);
  try {
    const text = await readFile(path, 'utf8');
    if (text.length > maxFileBytes) throw new Error(`more than ${maxFileBytes} bytes`);
    return text;
  } catch (cause) {
    throw new Error(`cannot read ${path}: an authority is tls.key, tls.crt and ca.crt`, { cause });
  }
}

/** Group members may read it (a Secret mounted with fsGroup), the world may not. */
async function refuseReadableKey(path: string): Promise<void> {
  if (((await stat(path)).mode & 0o007) !== 0) throw new Error(`${path} is open to everybody: chmod 600 it`);
}

export function decodePem(path: string, text: string): Uint8Array[] {
  try {
    const list = PemConverter.decodeWithHeaders(text).filter(({ type }) => type === 'CERTIFICATE');
    if (list.length === 0) throw new Error('no certificate in it');
    return list.map(({ rawData }) => new Uint8Array(rawData));
  } catch (cause) {
    throw new Error(`${path} is no PEM file of certificates`, { cause });
  }
}

function findIssuerProblem(certificate: X509Certificate, trustDomain: string, nowMs: number): string | null {
  const { ca, subjectAltName, validFromDate, validToDate } = certificate;
  if (!ca) return 'the first certificate is no authority (CA:TRUE)';
  const uri = /(?:^|, )URI:(spiffe:\/\/[^,/]*)/.exec(subjectAltName ?? '')?.[1];
  if (uri !== undefined && uri !== `spiffe://${trustDomain}`) {
    return `it is the authority of ${uri}, and the mesh is ${trustDomain}: two meshes share no authority`;
  }
  if (nowMs < validFromDate.getTime()) return `it is not valid before ${validFromDate.toISOString()}`;
  if (nowMs >= validToDate.getTime()) return `it ended at ${validToDate.toISOString()}`;
  return null;
}

async function readKey(folder: string, text: string, certificate: X509Certificate) {
  const path = join(folder, 'tls.key');
  const key = parseKey(path, text);
  if (!certificate.checkPrivateKey(key))
    throw new Error(`${path} is not the key of ${join(folder, 'tls.crt')}`);
  const curve = key.asymmetricKeyDetails?.namedCurve;
  const algorithm = curves[curve ?? ''];
  if (algorithm === undefined) throw new Error(`${path} is no ECDSA key on P-256 or P-384`);
  const der = key.export({ format: 'der', type: 'pkcs8' });
  return { algorithm, key: await webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']) };
}

const curves: Readonly<Record<string, Signer['algorithm']>> = {
  prime256v1: ecdsaP256,
  secp384r1: { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
};

function parseKey(path: string, text: string) {
  try {
    return createPrivateKey(text);
  } catch {
    // The cause is left out: nothing of the file may reach a log.
    throw new Error(`${path} is no private key in PEM without a passphrase`);
  }
}
