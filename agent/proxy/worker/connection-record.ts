/** What is known of one open connection: a pipeline's stages fill the slots, completions and logs read them. */
import { openProgram, type PolicyProgram } from '../../../model/authorize.js';
import type { Candidate } from '../../../model/choose-endpoint.js';
import type { Destination } from '../../../model/find-destination.js';
import type { Snapshot, WorkloadView } from '../../../model/snapshot.js';
import { type Source, unknownSource } from '../../../model/source.js';
import type { AppProtocol, MtlsMode } from '../../../model/workload.js';
import { Action, Alpn, originalDestination, RowKind, VerdictFlag } from '../../../native/engine.js';
import type { LoggedParties } from '../telemetry/logged-parties.js';
import type { Series, SeriesKey, SeriesMemo } from '../telemetry/series.js';
import type { EndpointEntry } from './endpoint-table.js';
import type { Tagged } from './record-pool.js';
import type { RequestRecord } from './request-record.js';
import type { ServedWorkload } from './served-workload.js';
import type { ServiceTraffic } from './service-traffic.js';
import { Transport } from './transport.js';

/** Before the destination stage, and for inbound connections. */
export const noDestination: Destination = { kind: 'passthrough' };

export class ConnectionRecord implements Tagged, SeriesKey, SeriesMemo {
  readonly tag: number;
  /** Whose listener took it. */
  workload: ServedWorkload | null = null;
  direction = 0;
  sourceAddress = '';
  sourcePort = 0;
  /** How far an inbound connection has come: RowKind of its last row. */
  stage: number = RowKind.connection;
  /** Inbound: how its bytes come; outbound tunnel: how they go on. */
  transport: number = Transport.none;
  /** Why plaintext: index into plaintextCauses. */
  cause = 0;
  /**
   * Inbound, of a workload of the mesh, or of who may turn out to be one: what the port demanded when plaintext came, or
   * when it might have; later, when it was held against the configuration again. null: it may be anybody's, or no plaintext
   * was expected.
   */
  plaintextMode: MtlsMode | null = null;
  /** SPIFFE id of the far end under TLS: the caller's, proven (inbound), or what the endpoint must prove (tunnel). */
  peerId = '';
  /** Inbound TLS: what was agreed on, an Alpn. */
  alpn: number = Alpn.none;
  /** Where the peer wanted to go. */
  destinationAddress = '';
  destinationPort = 0;
  /** The slots below were filled from this snapshot; a request under a newer one fills them again. */
  snapshot: Snapshot | null = null;

  /** The listener's workload: outbound the source, inbound the destination. */
  local: WorkloadView | null = null;
  /** Outbound: what the destination's address and port stand for. */
  destination: Destination = noDestination;
  /** Outbound to a workload's own address: that address as an endpoint. */
  direct: Candidate | null = null;
  /** Inbound: the workload that owns the peer's address. */
  peer: WorkloadView | null = null;
  /** Inbound: who is calling, as policies see it. */
  source: Source = unknownSource;
  /** Inbound: the service in front of the workload, for labels. */
  serviceName = 'unknown';
  /** Inbound: the policies that protect the workload. */
  program: PolicyProgram = openProgram;
  protocol: AppProtocol = 'tcp';
  /** Outbound tunnel: where it goes; null is the original destination. */
  endpoint: EndpointEntry | null = null;

  /** Outbound tunnel: endpoints that could not be reached. */
  readonly tried: Candidate[] = [];
  /** Outbound tunnel: the service's load figures. */
  traffic: ServiceTraffic | null = null;
  /** It is counted as under way at the endpoint. */
  attempting = false;

  /** What became of it: an Action and what goes with it. */
  action = 0;
  endpointId = originalDestination;
  reason = 0;

  /** The request that came last. */
  request: RequestRecord | null = null;

  /** Numbers of the metrics' labels of `local`, `peer` and `serviceName` in `snapshot`; -1 where not asked for yet. */
  localLabelId = -1;
  peerLabelId = -1;
  targetLabelId = -1;
  /** Inbound: what its requests were counted under last. */
  series: Series | null = null;
  readonly memo = null;
  /** Numbers of its metrics' labels, filled when it ends. */
  sourceId = 0;
  destinationId = 0;
  targetId = 0;
  /** For the access log: who talks to whom, as text. */
  logged: LoggedParties | null = null;
  /** Whether it was counted as open. */
  open = false;

  constructor(tag: number) {
    this.tag = tag;
  }

  get http(): boolean {
    return this.action === Action.http;
  }

  /** Flags of its verdict: where a service has other endpoints, a failed connect is asked about. */
  get flags(): number {
    const asks = this.action === Action.tunnel && this.traffic !== null;
    return asks ? VerdictFlag.askOnConnectFailure : 0;
  }

  get authenticated(): boolean {
    return this.source.authenticated;
  }

  /** Forgets its last user. */
  reset(): void {
    this.workload = null;
    this.stage = RowKind.connection;
    this.transport = Transport.none;
    this.cause = 0;
    this.plaintextMode = null;
    this.peerId = '';
    this.alpn = Alpn.none;
    this.snapshot = null;
    this.local = null;
    this.localLabelId = -1;
    this.peerLabelId = -1;
    this.targetLabelId = -1;
    this.series = null;
    this.destination = noDestination;
    this.direct = null;
    this.peer = null;
    this.source = unknownSource;
    this.serviceName = 'unknown';
    this.program = openProgram;
    this.protocol = 'tcp';
    this.endpoint = null;
    if (this.tried.length > 0) this.tried.length = 0;
    this.traffic = null;
    this.attempting = false;
    this.action = 0;
    this.endpointId = originalDestination;
    this.reason = 0;
    this.request = null;
    this.sourceId = 0;
    this.destinationId = 0;
    this.targetId = 0;
    this.logged = null;
    this.open = false;
  }
}
