/** What a worker tells about itself: its metrics, and its open connections for people. */
import { Direction, type Engine } from '../../../native/engine.js';
import type { PlaintextCallers } from '../telemetry/plaintext-callers.js';
import type { PolicyAudit } from '../telemetry/policy-audit.js';
import type { SeenConnections } from '../telemetry/seen-connections.js';
import { directionName, type TrafficCounters } from '../telemetry/traffic-counters.js';
import { family, type WorkerMetrics } from '../telemetry/worker-metrics.js';
import type { ConnectionRecord } from './connection-record.js';
import type { LiveConnection, WorkerEdges } from './messages.js';
import type { RecordPool } from './record-pool.js';
import type { ServedWorkload } from './served-workload.js';
import { transportName } from './transport.js';

export interface ReportedWorker {
  readonly worker: number;
  readonly engine: Engine;
  readonly connections: RecordPool<ConnectionRecord>;
  readonly workloads: ReadonlyMap<number, ServedWorkload>;
  readonly counters: TrafficCounters;
  readonly seen: SeenConnections;
  readonly audit: PolicyAudit;
  readonly callers: PlaintextCallers;
  /** Access-log lines that were lost. */
  readonly droppedLines: number;
}

export function collectMetrics(reported: ReportedWorker): WorkerMetrics {
  const { worker, counters, seen, audit, callers } = reported;
  const stats = reported.engine.stats();
  const gauge = (name: string, help: string, value: number) =>
    family('gauge', name, help, [{ labels: { worker }, value }]);
  return [
    ...counters.collect(),
    seen.collect(),
    audit.collect(),
    callers.collect(),
    gauge('weft_engine_buffered_bytes', 'Bytes that the engine holds for connections.', stats.bufferedBytes),
    gauge('weft_engine_pooled_connections', 'Idle connections to endpoints.', stats.pooled),
    gauge('weft_engine_parked_requests', 'Requests and connections that wait for a decision.', stats.parked),
    gauge('weft_engine_tls_sessions', 'Open TLS connections with other workloads.', stats.tlsSessions),
    gauge('weft_engine_tls_bytes', 'Memory of the sessions of open TLS connections, about.', stats.tlsBytes),
    gauge('weft_engine_http2_streams', 'Open HTTP/2 streams of clients.', stats.streams),
    family('counter', 'weft_tls_handshakes_total', 'TLS handshakes with other workloads.', [
      { labels: { role: 'client', result: 'ok' }, value: stats.clientHandshakes },
      { labels: { role: 'server', result: 'ok' }, value: stats.serverHandshakes },
      { labels: { role: 'any', result: 'failed' }, value: stats.failedHandshakes },
    ]),
    family('counter', 'weft_tls_resumed_handshakes_total', 'TLS handshakes that a ticket shortened.', [
      { labels: { role: 'client' }, value: stats.resumedAsClient },
      { labels: { role: 'server' }, value: stats.resumedAsServer },
    ]),
    family(
      'counter',
      'weft_tls_refused_tickets_total',
      'Tickets of callers that were not taken: a full handshake followed.',
      [
        { labels: { cause: 'outdated' }, value: stats.outdatedTickets },
        { labels: { cause: 'misplaced' }, value: stats.misplacedTickets },
      ],
    ),
    gauge(
      'weft_engine_tls_tickets',
      'Tickets that wait for the next connection to their endpoint.',
      stats.tickets,
    ),
    gauge('weft_engine_sockets', 'Ready-made sockets in stock.', stats.sockets),
    family(
      'counter',
      'weft_access_log_dropped_total',
      'Access-log lines lost because writing was too slow.',
      [{ labels: {}, value: reported.droppedLines }],
    ),
  ];
}

export const noEdges: WorkerEdges = { outbound: [], inbound: [] };

export function listEdges({ counters }: ReportedWorker): WorkerEdges {
  return {
    outbound: counters.listEdges(Direction.outbound),
    inbound: counters.listEdges(Direction.inbound),
  };
}

export function listConnections({
  worker,
  engine,
  connections,
  workloads,
}: ReportedWorker): LiveConnection[] {
  return engine.connections().map((info) => ({
    ...info,
    worker,
    workloadUid: workloads.get(info.workload)?.uid ?? '',
    direction: directionName(info.direction),
    ...describe(connections.find(info.connectionTag)),
  }));
}

function describe(
  connection: ConnectionRecord | undefined,
): Pick<
  LiveConnection,
  | 'protocol'
  | 'transport'
  | 'peer'
  | 'sourceNamespace'
  | 'sourceWorkload'
  | 'destinationNamespace'
  | 'destinationWorkload'
  | 'service'
> {
  if (connection === undefined) {
    return {
      protocol: 'unknown',
      transport: 'none',
      peer: '',
      sourceNamespace: '',
      sourceWorkload: 'unknown',
      destinationNamespace: '',
      destinationWorkload: 'unknown',
      service: 'unknown',
    };
  }
  const { destination, local, peer, protocol, serviceName } = connection;
  const outbound = connection.direction === Direction.outbound;
  const far = destination.kind === 'workload' ? destination.view : connection.endpoint?.view;
  const [source, target] = outbound ? [local, far] : [peer, local];
  return {
    protocol,
    transport: transportName(connection.transport),
    peer: connection.peerId,
    sourceNamespace: source?.workload.namespace ?? '',
    sourceWorkload: source?.workload.name ?? 'unknown',
    destinationNamespace: target?.workload.namespace ?? '',
    destinationWorkload: target?.workload.name ?? 'unknown',
    service: destination.kind === 'service' ? destination.port.serviceKey : serviceName,
  };
}
