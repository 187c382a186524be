/**
 * How a workload of this node reaches an endpoint: what follows from both of them and the snapshot alone. Worked out once
 * per snapshot and pair, and found by the workload's place in the endpoint's list, so that a request looks nothing up.
 */
import type { PolicyProgram } from '../../../model/authorize.js';
import { dialTransport } from '../../../model/mtls.js';
import { plaintextCause, plaintextCauses } from '../../../model/plaintext-cause.js';
import { programOf, type Snapshot, type WorkloadView } from '../../../model/snapshot.js';
import { Reason } from '../../../reasons/reasons.js';
import type { ConnectionRecord } from './connection-record.js';
import type { DecisionContext } from './decision-context.js';
import { type EndpointEntry, viewOf } from './endpoint-table.js';
import { Transport } from './transport.js';

export interface EndpointWay {
  /** What it was worked out from. */
  readonly snapshot: Snapshot;
  readonly local: WorkloadView;
  readonly identified: boolean;
  /** Why the endpoint must not be reached; `none` where it may. */
  readonly refusal: number;
  readonly transport: number;
  /** Why plaintext: index into plaintextCauses. */
  readonly cause: number;
  /** The endpoint's number for the transport; see {@link EndpointEntry}. */
  readonly endpointId: number;
  /** Policies of the endpoint's workload where its own end has nobody to enforce them; else null. */
  readonly program: PolicyProgram | null;
}

/** @param connection has found its own workload */
export function wayOf(
  context: DecisionContext,
  { local, workload }: ConnectionRecord,
  entry: EndpointEntry,
): EndpointWay {
  if (local === null || workload === null) throw new Error('the connection belongs to no workload');
  const kept = entry.ways[workload.place];
  if (
    kept !== undefined &&
    kept.snapshot === context.snapshot &&
    kept.local === local &&
    kept.identified === workload.identified
  ) {
    return kept;
  }
  const found = findWay(context, local, workload.identified, entry);
  entry.ways[workload.place] = found;
  return found;
}

function findWay(
  { snapshot, endpoints }: DecisionContext,
  local: WorkloadView,
  identified: boolean,
  entry: EndpointEntry,
): EndpointWay {
  const view = viewOf(entry, snapshot);
  const { port } = entry.candidate;
  const rule = dialTransport(local, identified, view, port);
  const way = { snapshot, local, identified, refusal: Reason.none, cause: 0, program: null };
  if (typeof rule === 'number') return { ...way, refusal: rule, transport: Transport.none, endpointId: 0 };
  const program = view === undefined || isCaptured(view) ? null : programOf(snapshot, view);
  if (rule === 'plaintext' || view === undefined) {
    const cause = plaintextCauses.indexOf(plaintextCause(local, view, port));
    const endpointId = endpoints.plaintextId(entry);
    return { ...way, transport: Transport.plaintext, cause, endpointId, program };
  }
  const endpointId = endpoints.tlsId(entry, view.authenticated.spiffeId);
  return { ...way, transport: Transport.tls, endpointId, program };
}

/** Whether an agent at the workload's own end judges what comes. */
export function isCaptured({ workload }: WorkloadView): boolean {
  return workload.captured || workload.capture !== null;
}
