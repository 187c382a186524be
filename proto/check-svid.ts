/**
 * Whether certificates as they travel are an identity that may be put in force: both ends ask this, the authority of
 * what its issuer signed and the agent of what it received. By OpenSSL through node:crypto, so by other code than wrote
 * them. Sources: SPIFFE X509-SVID (sections 2 to 5), RFC 5280 section 6.
 */
import { type KeyObject, X509Certificate } from 'node:crypto';

/** The longest chain without its root, and the largest certificate, that anybody accepts. */
export const maxChainLength = 4;
export const maxCertificateBytes = 16 * 1024;
/** The most roots of a bundle. */
export const maxRoots = 16;

const serverAuth = '1.3.6.1.5.5.7.3.1';
const clientAuth = '1.3.6.1.5.5.7.3.2';

/** What a certificate that passed says. Times are milliseconds since the epoch. */
export interface CheckedSvid {
  readonly spiffeId: string;
  /** Hexadecimal. */
  readonly serial: string;
  /** Distinguished name in one line. */
  readonly issuer: string;
  readonly notBeforeMs: number;
  /** When the first certificate of the chain ends. */
  readonly expiresMs: number;
}

export type SvidCheck =
  | { readonly ok: true; readonly svid: CheckedSvid }
  | { readonly ok: false; readonly problem: string };

/** Who proves what to whom: workloads to each other, nodes and replicas to a controller, the controller to both. */
export type SvidPurpose = 'workload' | 'node' | 'controller' | 'replica';

export interface SvidExpectation {
  readonly spiffeId: string;
  /** Default: workload. */
  readonly purpose?: SvidPurpose;
  /** The key that was certified. */
  readonly publicKey: KeyObject;
  readonly nowMs: number;
}

/** `chain` begins with the workload's certificate; `roots` are trusted. All in DER. Never throws. */
export function checkSvid(
  chain: readonly Uint8Array[],
  roots: readonly Uint8Array[],
  { spiffeId, publicKey, nowMs, purpose = 'workload' }: SvidExpectation,
): SvidCheck {
  if (chain.length === 0 || chain.length > maxChainLength) {
    return fail(`the chain has ${chain.length} certificates, not 1 to ${maxChainLength}`);
  }
  const parsed = parseCertificates(chain);
  const anchors = parseCertificates(roots);
  const [leaf] = parsed ?? [];
  if (parsed === null || leaf === undefined) return fail('the chain holds what is no certificate');
  if (anchors === null) return fail('the bundle holds what is no certificate');
  const problem =
    findLeafProblem(leaf, spiffeId, publicKey) ??
    findPurposeProblem(leaf, purpose) ??
    findDateProblem(parsed, nowMs) ??
    findChainProblem(parsed, anchors, nowMs);
  if (problem !== null) return fail(problem);
  const expiresMs = Math.min(...parsed.map((one) => one.validToDate.getTime()));
  const notBeforeMs = leaf.validFromDate.getTime();
  return {
    ok: true,
    svid: {
      spiffeId,
      serial: leaf.serialNumber.toLowerCase(),
      issuer: oneLine(leaf.issuer),
      notBeforeMs,
      expiresMs,
    },
  };
}

/** What is wrong with a bundle of roots in DER; null where it can be trusted. An empty one would end all trust. */
export function findBundleProblem(roots: readonly Uint8Array[]): string | null {
  if (roots.length === 0 || roots.length > maxRoots) {
    return `the bundle has ${roots.length} roots, not 1 to ${maxRoots}`;
  }
  const parsed = parseCertificates(roots);
  if (parsed === null) return 'the bundle holds what is no certificate';
  const other = parsed.find((root) => !root.ca);
  return other === undefined ? null : `the bundle holds ${oneLine(other.subject)}, which is no authority`;
}

function fail(problem: string): SvidCheck {
  return { ok: false, problem };
}

function parseCertificates(list: readonly Uint8Array[]): X509Certificate[] | null {
  try {
    if (list.some((der) => der.length > maxCertificateBytes)) return null;
    return list.map((der) => new X509Certificate(der));
  } catch {
    // OpenSSL's text tells nothing that "no certificate" does not.
    return null;
  }
}

function findLeafProblem(leaf: X509Certificate, spiffeId: string, publicKey: KeyObject): string | null {
  if (leaf.ca) return 'the certificate is an authority';
  if (leaf.subjectAltName !== `URI:${spiffeId}`) {
    return `the certificate is for ${leaf.subjectAltName ?? 'no name'}, not for ${spiffeId} alone`;
  }
  if (!leaf.publicKey.equals(publicKey)) return 'the certificate is for another key';
  if (leaf.publicKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    return 'the certificate`s key is not ECDSA P-256';
  }
  return null;
}

/** One that is for a single side is for that side alone: whoever verifies the other side then refuses it too. */
function findPurposeProblem({ keyUsage: usages = [] }: X509Certificate, purpose: SvidPurpose): string | null {
  const [server, client] = [usages.includes(serverAuth), usages.includes(clientAuth)];
  switch (purpose) {
    case 'workload':
      return server && client ? null : 'the certificate is not for both servers and clients';
    case 'node':
    case 'replica':
      return client && !server ? null : 'the certificate is not for clients alone';
    case 'controller':
      return server && !client ? null : 'the certificate is not for servers alone';
  }
}

function findDateProblem(chain: readonly X509Certificate[], nowMs: number): string | null {
  for (const one of chain) {
    if (nowMs < one.validFromDate.getTime()) {
      return `a certificate is not valid before ${one.validFromDate.toISOString()}; do the clocks agree?`;
    }
    if (nowMs >= one.validToDate.getTime()) {
      return `a certificate ended at ${one.validToDate.toISOString()}`;
    }
  }
  return null;
}

/** Each one must be signed by the next, and the last by a root that is in force. */
function findChainProblem(
  chain: readonly X509Certificate[],
  roots: readonly X509Certificate[],
  nowMs: number,
): string | null {
  for (const [at, one] of chain.entries()) {
    const issuer = chain[at + 1];
    if (issuer !== undefined && !hasSigned(issuer, one))
      return 'the chain`s certificates do not follow each other';
  }
  const last = chain.at(-1) as X509Certificate;
  const anchored = roots.some((root) => hasSigned(root, last) && findDateProblem([root], nowMs) === null);
  return anchored ? null : `no trusted root has signed for ${oneLine(last.issuer)}`;
}

function hasSigned(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function oneLine(name: string): string {
  return name.replaceAll('\n', ', ').slice(0, 200);
}
