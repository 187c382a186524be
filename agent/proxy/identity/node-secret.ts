/** What the node's own identity in capture's vault says of the mesh. */
import { X509Certificate } from 'node:crypto';
import { nodeSpiffeId } from '../../../model/system-identity.js';

/** The trust domain that a certificate (DER) of this node is of; null where it is none. Nothing is verified. */
export function trustDomainOfNode(certificate: Uint8Array, node: string): string | null {
  try {
    const name = new X509Certificate(certificate).subjectAltName ?? '';
    const trustDomain = /^URI:spiffe:\/\/([a-z0-9._-]{1,255})\//.exec(name)?.[1];
    return trustDomain !== undefined && name === `URI:${nodeSpiffeId(trustDomain, node)}`
      ? trustDomain
      : null;
  } catch {
    // No certificate at all.
    return null;
  }
}
