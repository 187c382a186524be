/** What a pipeline's stages may use. One per worker; nothing in it belongs to a single request. */
import type { Snapshot } from '../../../model/snapshot.js';
import type { PlaintextCallers } from '../telemetry/plaintext-callers.js';
import type { PolicyAudit } from '../telemetry/policy-audit.js';
import type { FillRandom } from '../telemetry/trace-context.js';
import type { BackendTable } from './backend-table.js';
import type { DetailUses } from './detail-uses.js';
import type { EndpointSubsets } from './endpoint-subsets.js';
import type { EndpointTable } from './endpoint-table.js';
import type { RouteEffects } from './route-effects.js';
import type { RowRequest } from './row-request.js';
import type { ServiceTrafficTable } from './service-traffic.js';
import type { VerdictWriter } from './verdict-writer.js';

export interface DecisionContext {
  /** Decides every row of the present batch. */
  readonly snapshot: Snapshot;
  /** Milliseconds, monotonic, of the present batch. */
  readonly nowMs: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** The request row that is being decided. */
  readonly head: RowRequest;
  readonly verdict: VerdictWriter;
  readonly endpoints: EndpointTable;
  readonly subsets: EndpointSubsets;
  readonly traffic: ServiceTrafficTable;
  readonly backends: BackendTable;
  readonly effects: RouteEffects;
  readonly uses: DetailUses;
  readonly audit: PolicyAudit;
  readonly callers: PlaintextCallers;
  /** For identifiers. */
  readonly fillRandom: FillRandom;
  /** Whether ended requests are logged, so that their texts must be kept. */
  readonly logging: boolean;
}
