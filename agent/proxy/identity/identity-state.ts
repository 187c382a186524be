/**
 * Where one workload's identity stands, as a closed union with named transitions. Pure: what follows from a state
 * (asking, publishing, waiting) is the manager's.
 *
 *   none ──vault-empty──▶ requesting ──obtained──▶ ready ──renewal-due──▶ renewing ──obtained──▶ ready
 *     └──────obtained──────────────────────────────▶┘        (failed: asks again)  └──expired──▶ expired ──obtained──▶ ready
 *   every state ──withdrawn──▶ withdrawn
 */
import type { CheckedSvid } from '../../../proto/check-svid.js';

/** A certified key. The key is in memory only: no log, no file. */
export interface Identity {
  readonly svid: CheckedSvid;
  /** DER, the workload's certificate first. */
  readonly chain: readonly Uint8Array[];
  /** PKCS#8 in DER. */
  readonly privateKey: Uint8Array;
}

export type IdentityState =
  /** Capture's vault is not asked yet, or has not answered. */
  | { readonly kind: 'none' }
  /** A certificate is asked for and there was none before. */
  | { readonly kind: 'requesting'; readonly failures: number }
  | { readonly kind: 'ready'; readonly identity: Identity; readonly renewAtMs: number }
  /** In force still, and the next one is asked for. */
  | { readonly kind: 'renewing'; readonly identity: Identity; readonly failures: number }
  /** No longer in force; asked for all the time. */
  | { readonly kind: 'expired'; readonly svid: CheckedSvid; readonly failures: number }
  /** The workload has left. The end. */
  | { readonly kind: 'withdrawn' };

export type IdentityEvent =
  | { readonly type: 'vault-empty' }
  /** Issued, or found in the vault; checked. */
  | { readonly type: 'obtained'; readonly identity: Identity; readonly renewAtMs: number }
  | { readonly type: 'failed' }
  | { readonly type: 'renewal-due' }
  | { readonly type: 'expired' }
  | { readonly type: 'withdrawn' };

/** An event that means nothing in a state leaves it as it is. */
export function nextState(state: IdentityState, event: IdentityEvent): IdentityState {
  if (state.kind === 'withdrawn') return state;
  switch (event.type) {
    case 'vault-empty':
      return state.kind === 'none' ? { kind: 'requesting', failures: 0 } : state;
    case 'obtained':
      return { kind: 'ready', identity: event.identity, renewAtMs: event.renewAtMs };
    case 'failed':
      return 'failures' in state ? { ...state, failures: state.failures + 1 } : state;
    case 'renewal-due':
      return state.kind === 'ready' ? { kind: 'renewing', identity: state.identity, failures: 0 } : state;
    case 'expired':
      return 'identity' in state
        ? { kind: 'expired', svid: state.identity.svid, failures: 'failures' in state ? state.failures : 0 }
        : state;
    case 'withdrawn':
      return { kind: 'withdrawn' };
  }
}

/** What may be used for connections in a state; null where nothing. */
export function identityOf(state: IdentityState): Identity | null {
  return state.kind === 'ready' || state.kind === 'renewing' ? state.identity : null;
}

/** Whether a certificate is to be asked for. */
export function wantsCertificate({ kind }: IdentityState): boolean {
  return kind === 'requesting' || kind === 'renewing' || kind === 'expired';
}
