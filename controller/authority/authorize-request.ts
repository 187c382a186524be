/** Whether a node may hold an identity: it runs such a workload now. Pure. */
import { spiffeId, type Workload } from '../../model/workload.js';
import { type Refused, refuse } from './refusal.js';

export interface Asked {
  readonly node: string;
  readonly workloadUid: string;
  /** The name that the request asks for. */
  readonly uri: string;
}

/** `workload` is what the controller publishes under that uid now. */
export function authorizeRequest(
  { node, workloadUid, uri }: Asked,
  workload: Workload | undefined,
): { readonly ok: true } | Refused {
  if (workload === undefined || workload.node !== node || workload.capture === null) {
    // One answer for all three: a node learns nothing about workloads of others.
    return refuse('identity_not_on_node', `node ${node} runs no enrolled workload ${workloadUid}`);
  }
  const own = spiffeId(workload);
  if (uri !== own)
    return refuse('identity_mismatch', `workload ${workloadUid} is ${own}, not ${shorten(uri)}`);
  return { ok: true };
}

function shorten(uri: string): string {
  return uri.length <= 200 ? uri : `${uri.slice(0, 199)}…`;
}
