/** What an authority needs of whoever signs: a built-in signer, or an external one. */
import type { SvidPurpose } from '../../proto/check-svid.js';
import type { Refusal } from './refusal.js';

/** A request that was checked: the issuer certifies this key for this name, and nothing that the asker wrote. */
export interface SigningRequest {
  readonly spiffeId: string;
  /** Whether it is for servers (controller), clients (node, replica) or both (workload). */
  readonly purpose: SvidPurpose;
  readonly trustDomain: string;
  /** SubjectPublicKeyInfo in DER; ECDSA P-256. */
  readonly publicKey: Uint8Array;
  /** The request itself in DER, for issuers that want one. */
  readonly csr: Uint8Array;
  readonly lifetimeMs: number;
  readonly nowMs: number;
}

/** In DER: the certificate first, then intermediates, never the root. */
export type Chain = readonly Uint8Array[];

export interface Issuer {
  /**
   * Looks at where the issuer's state is kept, as often as the authority likes, and returns the roots that its
   * certificates lead to (DER). Throws Error where they cannot be known; what was known before stays.
   */
  refresh(trustDomain: string, nowMs: number): Promise<readonly Uint8Array[]>;
  /** Throws Error where it cannot sign. The authority checks what comes back as if a stranger had signed it. */
  sign(request: SigningRequest): Promise<Chain>;
}

/** What an authority answers. */
export type IssueResult =
  | {
      readonly ok: true;
      readonly chain: Chain;
      readonly roots: readonly Uint8Array[];
      readonly expiresMs: number;
    }
  | ({ readonly ok: false } & Refusal);
