/** How a node that has no certificate yet proves itself. */
import type { NodeProof } from './authenticate-node.js';

/**
 * Leads from a bearer token to the node that it speaks for: a join token of this controller, or what another authority
 * vouches for (in a cluster, a service-account token bound to a pod of that node).
 */
export interface NodeAuthenticator {
  /**
   * `claimed` is the node that the asker says it is; an answer for another one is refused by the caller. A token that
   * is good once is spent by this call, whatever follows. Never rejects.
   */
  authenticate(token: string, claimed: string): Promise<NodeProof>;
}
