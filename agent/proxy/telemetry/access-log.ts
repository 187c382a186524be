/** One JSON object per ended request or connection (docs/telemetry.md). Values of headers never get here. */
import type { WorkloadView } from '../../../model/snapshot.js';
import type { Completions } from '../../../native/engine.js';
import { reasonName } from '../../../reasons/reasons.js';
import type { ConnectionRecord } from '../worker/connection-record.js';
import type { EndpointEntry } from '../worker/endpoint-table.js';
import type { RequestRecord } from '../worker/request-record.js';
import { directionName } from './traffic-counters.js';

export interface AccessLogParts {
  readonly completions: Completions;
  readonly add: (line: string) => void;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
  readonly snapshotVersion: () => number;
}

export class AccessLog {
  readonly #parts: AccessLogParts;

  constructor(parts: AccessLogParts) {
    this.#parts = parts;
  }

  request(request: RequestRecord, at: number): void {
    const connection = request.connection as ConnectionRecord;
    const { destination } = connection;
    const service =
      request.target ?? request.service ?? (destination.kind === 'service' ? destination.port : null);
    this.#line('request', connection, at, request.endpoint, {
      service: service === null ? connection.serviceName : service.service.name,
      protocol: request.http10 ? 'http/1.0' : 'http/1.1',
      method: request.method,
      host: request.host,
      path: request.path,
      route: request.routeLabel,
      attempt: request.attempts,
      trace: request.traceId,
      snapshot: request.snapshotVersion,
    });
  }

  /** A request whose head was refused before it could be decided. */
  malformed(connection: ConnectionRecord, at: number): void {
    this.#line('request', connection, at, null, {
      service: serviceOf(connection),
      protocol: 'http/1.1',
      route: 'default',
      attempt: 0,
      snapshot: this.#parts.snapshotVersion(),
    });
  }

  connection(connection: ConnectionRecord, at: number): void {
    this.#line('connection', connection, at, connection.endpoint, {
      service: serviceOf(connection),
      protocol: connection.http ? 'http/1.1' : 'tcp',
      snapshot: connection.snapshot?.version ?? this.#parts.snapshotVersion(),
    });
  }

  #line(
    kind: 'request' | 'connection',
    connection: ConnectionRecord,
    at: number,
    endpoint: EndpointEntry | null,
    details: {
      readonly service: string;
      readonly protocol: string;
      readonly method?: string;
      readonly host?: string;
      readonly path?: string;
      readonly route?: string;
      readonly attempt?: number;
      readonly trace?: string;
      readonly snapshot: number;
    },
  ): void {
    const { completions } = this.#parts;
    const outbound = connection.direction === 0;
    const sourceView = outbound ? connection.local : connection.peer;
    const { service, snapshot, ...rest } = details;
    this.#parts.add(
      JSON.stringify({
        schema: 1,
        time: new Date(this.#parts.wallClock()).toISOString(),
        kind,
        direction: directionName(connection.direction),
        source: endOf(connection.sourceAddress, connection.sourcePort, sourceView),
        destination: {
          ...endOf(
            connection.destinationAddress,
            connection.destinationPort,
            destinationView(connection, endpoint),
          ),
          service,
        },
        identity: connection.source.spiffeId,
        authenticated: connection.authenticated,
        ...rest,
        status: completions.status[at],
        reason: reasonName(completions.reason[at] as number),
        bytesReceived: completions.bytesReceived[at],
        bytesSent: completions.bytesSent[at],
        decideMs: milliseconds(completions.decideUs[at]),
        connectMs: milliseconds(completions.connectUs[at]),
        firstByteMs: milliseconds(completions.firstByteUs[at]),
        totalMs: milliseconds(completions.totalUs[at]),
        endpoint: endpoint === null ? '' : endpoint.candidate.key,
        snapshot,
      }),
    );
  }
}

function serviceOf(connection: ConnectionRecord): string {
  const { destination } = connection;
  return destination.kind === 'service' ? destination.port.service.name : connection.serviceName;
}

function endOf(address: string, port: number, view: WorkloadView | null | undefined) {
  const workload = view?.workload;
  return {
    address,
    port,
    namespace: workload?.namespace ?? 'unknown',
    workload: workload?.name ?? 'unknown',
    uid: workload?.uid ?? '',
  };
}

function destinationView(
  connection: ConnectionRecord,
  endpoint: EndpointEntry | null,
): WorkloadView | null | undefined {
  if (connection.direction !== 0) return connection.local;
  if (endpoint !== null) return endpoint.view;
  return connection.destination.kind === 'workload' ? connection.destination.view : null;
}

/** Three decimals. */
function milliseconds(microseconds: number | undefined): number {
  return Math.round(microseconds ?? 0) / 1000;
}
