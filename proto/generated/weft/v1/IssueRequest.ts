// Generated from proto/weft/v1/identity.proto by scripts/generate-proto.mjs; do not edit.


export interface IssueRequest {
  'node'?: (string);
  'workloadUid'?: (string);
  /**
   * PKCS#10 (RFC 2986): key ECDSA P-256; exactly one subject alternative name, the workload's SPIFFE id as a URI.
   */
  'csr'?: (Buffer | Uint8Array | string);
}

export interface IssueRequest__Output {
  'node': (string);
  'workloadUid': (string);
  /**
   * PKCS#10 (RFC 2986): key ECDSA P-256; exactly one subject alternative name, the workload's SPIFFE id as a URI.
   */
  'csr': (Buffer);
}
