/** Which node asks. One way now; the slot is for a token review or a node's own certificate. */
import { type Refused, refuse } from './refusal.js';

/** What is known of a caller. */
export interface Caller {
  /** The node that the message names. */
  readonly claimed: string;
}

/** Returns the proven node. */
export type AuthenticateNode = (caller: Caller) => { readonly ok: true; readonly node: string } | Refused;

/**
 * For a controller that listens on a Unix socket alone: its folder and mode decide who reaches it, and whoever does is
 * believed to be the node that it names. That holds for one machine (`weft run`), not for a cluster.
 */
export const trustSocket: AuthenticateNode = ({ claimed }) => {
  if (!/^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/.test(claimed)) {
    return refuse('node_not_authenticated', 'the request names no node');
  }
  return { ok: true, node: claimed };
};
