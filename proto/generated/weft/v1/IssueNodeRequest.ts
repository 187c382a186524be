// Generated from proto/weft/v1/identity.proto by scripts/generate-proto.mjs; do not edit.


export interface IssueNodeRequest {
  'node'?: (string);
  /**
   * PKCS#10 as in IssueRequest; the name is spiffe://TRUST-DOMAIN/weft/node/NODE.
   */
  'csr'?: (Buffer | Uint8Array | string);
  /**
   * A join token, or whatever else the controller takes as a proof of a node; empty: the client certificate proves it.
   */
  'token'?: (string);
}

export interface IssueNodeRequest__Output {
  'node': (string);
  /**
   * PKCS#10 as in IssueRequest; the name is spiffe://TRUST-DOMAIN/weft/node/NODE.
   */
  'csr': (Buffer);
  /**
   * A join token, or whatever else the controller takes as a proof of a node; empty: the client certificate proves it.
   */
  'token': (string);
}
