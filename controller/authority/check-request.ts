/** Reads a certificate request strictly: one key type, one name, one extension, proof of possession. */
import { maxRequestBytes } from '../../proto/load-identity-service.js';
import { type Refused, refuse } from './refusal.js';
import { ExtensionsAttribute, Pkcs10CertificateRequest, SubjectAlternativeNameExtension } from './x509.js';

export interface CheckedRequest {
  readonly ok: true;
  /** The one URI that the request names. */
  readonly uri: string;
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKey: Uint8Array;
}

/** The longest SPIFFE id (SPIFFE-ID section 2.3). */
const maxUriLength = 2048;

/** A request that can be written anew from what was understood of it. */
class ReceivedRequest extends Pkcs10CertificateRequest {
  get encoded(): Buffer {
    return Buffer.from(new Pkcs10CertificateRequest(this.asn).rawData);
  }
}

/** `csr` is PKCS#10 in DER (RFC 2986). Never throws. */
export async function checkRequest(csr: Uint8Array): Promise<CheckedRequest | Refused> {
  if (csr.length === 0 || csr.length > maxRequestBytes) {
    return refuse('csr_malformed', `the request has ${csr.length} bytes, not 1 to ${maxRequestBytes}`);
  }
  const request = parseRequest(csr);
  if (request === null) return refuse('csr_malformed', 'the request is no PKCS#10 in DER');
  const { name, namedCurve } = request.publicKey.algorithm as { name: string; namedCurve?: string };
  if (name !== 'ECDSA' || namedCurve !== 'P-256') {
    return refuse('csr_key_refused', `the key is ${name} ${namedCurve ?? ''}, not ECDSA P-256`);
  }
  const uri = readUri(request);
  if (typeof uri !== 'string') return uri;
  // Last, because it costs: nothing above trusted the content.
  if (!(await isSignedByItsKey(request))) {
    return refuse('csr_signature_invalid', 'the request is not signed by the key that it holds');
  }
  return { ok: true, uri, publicKey: new Uint8Array(request.publicKey.rawData) };
}

function parseRequest(csr: Uint8Array): Pkcs10CertificateRequest | null {
  try {
    const request = new ReceivedRequest(Buffer.from(csr));
    // What follows the request, or is not DER, would be signed by nobody.
    return request.encoded.equals(csr) ? request : null;
  } catch {
    // The library's text speaks of its own classes.
    return null;
  }
}

/** Other attributes and extensions are refused, not ignored: the asker would believe that it got them. */
function readUri(request: Pkcs10CertificateRequest): string | Refused {
  const [attribute, ...others] = request.attributes;
  if (!(attribute instanceof ExtensionsAttribute) || others.length > 0) {
    return refuse('csr_malformed', 'the request must have the attribute extensionRequest and no other');
  }
  const [extension, ...more] = attribute.items;
  if (!(extension instanceof SubjectAlternativeNameExtension) || more.length > 0) {
    return refuse('csr_malformed', 'the request must ask for subjectAltName and no other extension');
  }
  const names = extension.names.items;
  const [first] = names;
  if (names.length !== 1 || first === undefined || first.type !== 'url') {
    const found = names.map((one) => one.type).join(', ');
    return refuse('csr_name_refused', `the request names ${found || 'nothing'}, not one URI`);
  }
  if (first.value.length > maxUriLength) return refuse('csr_name_refused', 'the URI is too long');
  return first.value;
}

async function isSignedByItsKey(request: Pkcs10CertificateRequest): Promise<boolean> {
  try {
    const { hash } = request.signatureAlgorithm as { hash?: { name?: string } };
    return hash?.name === 'SHA-256' && (await request.verify());
  } catch {
    // A point that is not on the curve, a signature that is none.
    return false;
  }
}
