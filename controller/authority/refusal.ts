/** Why no certificate was issued. */
import type { ReasonName } from '../../reasons/reasons.js';

export interface Refusal {
  readonly reason: Extract<
    ReasonName,
    | 'csr_malformed'
    | 'csr_key_refused'
    | 'csr_name_refused'
    | 'csr_signature_invalid'
    | 'identity_not_on_node'
    | 'identity_mismatch'
    | 'node_not_authenticated'
    | 'node_token_unknown'
    | 'node_token_expired'
    | 'node_token_replayed'
    | 'issuer_failed'
    | 'authority_busy'
  >;
  /** For people: what was wrong with what. */
  readonly message: string;
}

export type Refused = { readonly ok: false } & Refusal;

export function refuse(reason: Refusal['reason'], message: string): Refused {
  return { ok: false, reason, message };
}
