/**
 * Signs with a key in files. A change of the files is taken where they fit each other; a new issuer signs only once its
 * root has been told to the agents for a while, so that all three files may be replaced at once.
 */
import type { SvidPurpose } from '../../proto/check-svid.js';
import {
  type AuthorityFiles,
  loadAuthority,
  makeAuthority,
  makeSerial,
  type Signer,
  stampAuthority,
} from './authority-files.js';
import type { Chain, Issuer, SigningRequest } from './issuer.js';
import { sameBytes } from './trust-roots.js';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PublicKey,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from './x509.js';

export interface BuiltInSettings {
  readonly folder: string;
  /** Make an authority where the folder is missing. */
  readonly create: boolean;
  /** How long roots are told before they sign; agents hold a stream open, so seconds are enough. */
  readonly announceMs: number;
}

/** Clocks of nodes may be behind by so much of a certificate's life, and by no more than this. */
const longestBackdatingMs = 3 * 3_600_000;
const backdatedPart = 0.1;

const usages: Readonly<Record<SvidPurpose, readonly ExtendedKeyUsage[]>> = {
  workload: [ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth],
  node: [ExtendedKeyUsage.clientAuth],
  replica: [ExtendedKeyUsage.clientAuth],
  controller: [ExtendedKeyUsage.serverAuth],
};

export class BuiltInIssuer implements Issuer {
  readonly #settings: BuiltInSettings;
  #stamp: string | null = null;
  #files: AuthorityFiles | null = null;
  #active: Signer | null = null;
  /** When the files in force were first seen. */
  #changedMs = 0;

  constructor(settings: BuiltInSettings) {
    this.#settings = settings;
  }

  async refresh(trustDomain: string, nowMs: number): Promise<readonly Uint8Array[]> {
    const { folder, create } = this.#settings;
    let stamp = await stampAuthority(folder);
    if (stamp === null) {
      if (!create)
        throw new Error(`there is no authority in ${folder}: tls.key, tls.crt and ca.crt are needed`);
      if (this.#files !== null) throw new Error(`the authority in ${folder} is gone; put its files back`);
      await makeAuthority(folder, trustDomain, nowMs);
      stamp = await stampAuthority(folder);
    }
    if (stamp !== this.#stamp || this.#files === null) {
      const before = this.#files;
      this.#files = await loadAuthority(folder, trustDomain, nowMs);
      this.#stamp = stamp;
      // Roots that were told before need no wait.
      if (before === null || !includesAll(before.roots, this.#files.roots)) this.#changedMs = nowMs;
    }
    this.#chooseSigner(this.#files, nowMs);
    return this.#files.roots;
  }

  async sign({ spiffeId, purpose, publicKey, lifetimeMs, nowMs }: SigningRequest): Promise<Chain> {
    if (this.#active === null) throw new Error('the authority`s files were never read');
    const { certificate, key, algorithm, intermediates } = this.#active;
    const subjectKey = new PublicKey(Buffer.from(publicKey));
    const issuer = new X509Certificate(certificate.raw);
    const endsMs = Math.min(nowMs + lifetimeMs, certificate.validToDate.getTime());
    const beginsMs = Math.max(
      nowMs - Math.min(longestBackdatingMs, lifetimeMs * backdatedPart),
      certificate.validFromDate.getTime(),
    );
    const issued = await X509CertificateGenerator.create({
      serialNumber: makeSerial(),
      // An empty subject and a critical name: there is one name, and nothing to confuse it with.
      subject: '',
      issuer: issuer.subjectName,
      notBefore: new Date(beginsMs),
      notAfter: new Date(endsMs),
      signingAlgorithm: algorithm,
      publicKey: subjectKey,
      signingKey: key,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([...usages[purpose]]),
        new SubjectAlternativeNameExtension([{ type: 'url', value: spiffeId }], true),
        await SubjectKeyIdentifierExtension.create(subjectKey),
        await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ],
    });
    return [new Uint8Array(issued.rawData), ...intermediates];
  }

  #chooseSigner({ signer }: AuthorityFiles, nowMs: number): void {
    const active = this.#active;
    const told = nowMs - this.#changedMs >= this.#settings.announceMs;
    if (active === null || told || active.certificate.validToDate.getTime() <= nowMs) this.#active = signer;
  }
}

function includesAll(list: readonly Uint8Array[], others: readonly Uint8Array[]): boolean {
  return others.every((other) => list.some((one) => sameBytes(one, other)));
}
