/** One request from its head to its end: a pipeline's stages fill the slots, in the order in which they stand here. */
import { openProgram, type PolicyProgram } from '../../../model/authorize.js';
import type { Candidate } from '../../../model/choose-endpoint.js';
import { type CompiledFilters, noFilters } from '../../../model/compile-filters.js';
import type { CompiledBackend, CompiledMatch } from '../../../model/compile-route.js';
import type { RequestHead } from '../../../model/request-head.js';
import type { RetryPolicy } from '../../../model/retry-plan.js';
import { compileRetry } from '../../../model/retry-plan.js';
import type { ServicePortView } from '../../../model/snapshot.js';
import { type Source, unknownSource } from '../../../model/source.js';
import { originalDestination } from '../../../native/engine.js';
import type { SeriesKey, SeriesMemo } from '../telemetry/series.js';
import { traceIdWords } from '../telemetry/trace-context.js';
import type { BackendUse } from './backend-table.js';
import type { ConnectionRecord } from './connection-record.js';
import type { EndpointEntry } from './endpoint-table.js';
import type { Tagged } from './record-pool.js';
import type { ServiceTraffic } from './service-traffic.js';
import { Transport } from './transport.js';

/** What holds where no rule says anything: only failed connects are tried again. */
export const defaultRetry: RetryPolicy = compileRetry(undefined);

export class RequestRecord implements Tagged, SeriesKey {
  readonly tag: number;
  connection: ConnectionRecord | null = null;
  /** Version of the one snapshot that decided it. */
  snapshotVersion = 0;

  /** Destination: the service that was asked for; null for workloads and passthrough. */
  service: ServicePortView | null = null;
  /** Route: the match that decided; null where no route is attached. */
  match: CompiledMatch | null = null;
  /** Route: the backend that took it; null where no route is attached. */
  backend: CompiledBackend | null = null;
  /** Route: what the worker keeps with that backend. */
  use: BackendUse | null = null;
  /** Route: the service whose endpoints serve it. */
  target: ServicePortView | null = null;
  /** Filters: the backend's and its rule's together. */
  filters: CompiledFilters = noFilters;
  requestEdit = 0;
  responseEdit = 0;
  /** Limits: bytes of the body that may be kept to send it again. */
  bufferBytes = 0;
  /** Endpoint: null is the connection's original destination. */
  endpoint: EndpointEntry | null = null;
  /** Transport: the endpoint's number for the transport that is spoken to it; see {@link EndpointEntry}. */
  endpointId: number = originalDestination;
  /** Inbound: how its connection came; outbound: how the endpoint is spoken to. */
  transport: number = Transport.none;
  /** Why plaintext: index into plaintextCauses. */
  cause = 0;
  /** Endpoint: the service's load figures and budget; null without a service. */
  traffic: ServiceTraffic | null = null;
  /** Endpoints that earlier attempts used. */
  readonly tried: Candidate[] = [];
  /** Resilience plan. */
  retry: RetryPolicy = defaultRetry;
  requestTimeoutMs = 0;
  backendTimeoutMs = 0;

  /** Trace: the ids of one that was started here; written again for each attempt. */
  readonly traceIds = new Uint32Array(traceIdWords);
  traceStarted = false;

  /** An attempt is counted as under way at the endpoint. */
  attempting = false;
  attempts = 0;

  /** Numbers of its metrics' labels, filled when it ends. */
  direction = 0;
  sourceId = 0;
  destinationId = 0;
  targetId = 0;
  memo: SeriesMemo | null = null;

  /** Authorization: what judged it last; see stages/recheck-traffic.ts. */
  program: PolicyProgram = openProgram;
  source: Source = unknownSource;
  /** Headers that the policies read when it came, and their values in that order. */
  headerNames: readonly string[] = [];
  readonly headerValues: (string | null)[] = [];

  /** As sent, for the access log and for later policies. */
  method = '';
  host = '';
  path = '';
  traceId = '';
  http10 = false;
  http2 = false;

  constructor(tag: number) {
    this.tag = tag;
  }

  get routeLabel(): string {
    return this.match === null ? 'default' : this.match.rule.label;
  }

  /** Keeps what was sent, while it can be read: for the log, and for policies that change while the request runs. */
  keep(
    head: RequestHead & { readonly target: string; readonly http10: boolean; readonly http2: boolean },
  ): void {
    this.method = head.method;
    this.host = head.authority;
    this.path = head.target;
    this.http10 = head.http10;
    this.http2 = head.http2;
  }

  /** Forgets its last user. */
  reset(): void {
    this.connection = null;
    this.service = null;
    this.match = null;
    this.backend = null;
    this.use = null;
    this.memo = null;
    this.target = null;
    this.filters = noFilters;
    this.requestEdit = 0;
    this.responseEdit = 0;
    this.bufferBytes = 0;
    this.endpoint = null;
    this.endpointId = originalDestination;
    this.transport = Transport.none;
    this.cause = 0;
    this.traffic = null;
    if (this.tried.length > 0) this.tried.length = 0;
    this.retry = defaultRetry;
    this.requestTimeoutMs = 0;
    this.backendTimeoutMs = 0;
    this.traceStarted = false;
    this.attempting = false;
    this.attempts = 0;
    this.program = openProgram;
    this.source = unknownSource;
    if (this.headerValues.length > 0) this.headerValues.length = 0;
    this.method = '';
    this.host = '';
    this.path = '';
    this.traceId = '';
    this.http10 = false;
    this.http2 = false;
  }
}
