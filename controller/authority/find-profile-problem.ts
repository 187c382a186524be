/**
 * What OpenSSL does not tell of a certificate: the parts of the X.509 SVID profile that forbid it to sign others
 * (SPIFFE X509-SVID, sections 4.1 and 4.3), as they are written and not as they are weighed together; and RFC 5280,
 * section 4.2.1.6.
 */
import {
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509Certificate,
} from './x509.js';

/** `der` is a certificate that was read before. Null where it fits the profile. */
export function findProfileProblem(der: Uint8Array): string | null {
  const certificate = new X509Certificate(Buffer.from(der));
  if (certificate.getExtension(BasicConstraintsExtension)?.ca === true)
    return 'the certificate is an authority';
  const usage = certificate.getExtension(KeyUsagesExtension);
  if (usage === null || !usage.critical) return 'the certificate has no critical keyUsage';
  if ((usage.usages & KeyUsageFlags.digitalSignature) === 0) return 'the certificate may not sign handshakes';
  if ((usage.usages & (KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign)) !== 0) {
    return 'the certificate may sign others';
  }
  const names = certificate.getExtension(SubjectAlternativeNameExtension);
  if (certificate.subject === '' && names?.critical !== true) {
    return 'the subject is empty and subjectAltName is not critical';
  }
  return null;
}
