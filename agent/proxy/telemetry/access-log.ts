/**
 * One JSON object per ended request or connection (docs/telemetry.md). Values of headers never get here. Lines are
 * put together from parts that change seldom: who calls once per connection, workloads once per snapshot, the time once
 * per millisecond.
 */
import type { WorkloadView } from '../../../model/snapshot.js';
import type { Source } from '../../../model/source.js';
import { type Completions, Direction } from '../../../native/engine.js';
import { Reason, reasonName } from '../../../reasons/reasons.js';
import type { ConnectionRecord } from '../worker/connection-record.js';
import type { EndpointEntry } from '../worker/endpoint-table.js';
import type { RequestRecord } from '../worker/request-record.js';
import { Transport, transportName } from '../worker/transport.js';
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
  #timeMs = Number.NaN;
  #time = '';

  constructor(parts: AccessLogParts) {
    this.#parts = parts;
  }

  request(request: RequestRecord, at: number): void {
    const connection = request.connection as ConnectionRecord;
    const service = request.target ?? request.service;
    const { endpoint } = request;
    this.#parts.add(
      `${this.#start('request', connection, endpoint, service?.service.name)}` +
        `,"protocol":"${protocolText(request)}"` +
        `,"method":${quote(request.method)},"host":${quote(request.host)},"path":${quote(request.path)}` +
        `${this.#ended(at)}${this.#grpcStatus(at)},"route":${quote(request.routeLabel)}` +
        `${transportText(request.transport, peerOf(request))},"endpoint":"${endpointText(endpoint)}"` +
        `,"attempt":${request.attempts},"trace":"${request.traceId}","snapshot":${request.snapshotVersion}}`,
    );
  }

  /** A request whose head was refused before it could be decided. */
  malformed(connection: ConnectionRecord, at: number): void {
    this.#parts.add(
      `${this.#start('request', connection, null, undefined)},"protocol":"http/1.1"${this.#ended(at)}` +
        `,"route":"default","endpoint":"","attempt":0,"snapshot":${this.#parts.snapshotVersion()}}`,
    );
  }

  connection(connection: ConnectionRecord, at: number): void {
    const { endpoint, snapshot } = connection;
    this.#parts.add(
      `${this.#start('connection', connection, endpoint, undefined)}` +
        `,"protocol":"${connection.http ? 'http/1.1' : 'tcp'}"${this.#ended(at)}` +
        `${transportText(connection.transport, connection.peerId)}` +
        `,"endpoint":"${endpointText(endpoint)}","snapshot":${snapshot?.version ?? this.#parts.snapshotVersion()}}`,
    );
  }

  #start(
    kind: 'request' | 'connection',
    connection: ConnectionRecord,
    endpoint: EndpointEntry | null,
    service: string | undefined,
  ): string {
    return `{"schema":1,"time":"${this.#now()}","kind":"${kind}",${partiesText(connection, endpoint, service)}`;
  }

  #now(): string {
    const now = this.#parts.wallClock();
    if (now !== this.#timeMs) {
      this.#timeMs = now;
      this.#time = new Date(now).toISOString();
    }
    return this.#time;
  }

  /** Only where the response had one. */
  #grpcStatus(at: number): string {
    const status = this.#parts.completions.grpcStatus[at] as number;
    return status < 0 ? '' : `,"grpcStatus":${status}`;
  }

  /** How it ended, by the completion. */
  #ended(at: number): string {
    const { completions } = this.#parts;
    return (
      `,"status":${completions.status[at]},"reason":"${reasonText(completions.reason[at] as number)}"` +
      `,"bytesReceived":${completions.bytesReceived[at]},"bytesSent":${completions.bytesSent[at]}` +
      `,"decideMs":${milliseconds(completions.decideUs[at])},"connectMs":${milliseconds(completions.connectUs[at])}` +
      `,"firstByteMs":${milliseconds(completions.firstByteUs[at])},"totalMs":${milliseconds(completions.totalUs[at])}`
    );
  }
}

function protocolText({ http2, http10 }: RequestRecord): string {
  if (http2) return 'http/2';
  return http10 ? 'http/1.0' : 'http/1.1';
}

/** The identity of the far end: who called (inbound), or who answered (outbound). */
function peerOf({ connection, endpoint, transport }: RequestRecord): string {
  if (transport !== Transport.tls) return '';
  return connection?.direction === Direction.inbound ? connection.peerId : (endpoint?.tlsIdentity ?? '');
}

function transportText(transport: number, peer: string): string {
  return `,"transport":"${transportName(transport)}","peer":${quote(peer)}`;
}

/** What all lines of a connection say of its two ends; kept with it until one of them changes. */
export interface LoggedParties {
  readonly local: WorkloadView | null;
  readonly peer: WorkloadView | null;
  readonly identity: Source;
  /** Up to the destination's workload, which depends on the endpoint. */
  readonly start: string;
  /** Behind the destination's service. */
  readonly end: string;
}

function partiesText(
  connection: ConnectionRecord,
  endpoint: EndpointEntry | null,
  service: string | undefined,
): string {
  const { local, peer, source, logged } = connection;
  const kept =
    logged !== null && logged.local === local && logged.peer === peer && logged.identity === source;
  const { start, end } = kept ? logged : keepParties(connection);
  const outbound = connection.direction === Direction.outbound;
  const destination = outbound ? destinationView(connection, endpoint) : local;
  return `${start}${workloadText(destination)},"service":${quote(service ?? serviceOf(connection))}}${end}`;
}

function keepParties(connection: ConnectionRecord): LoggedParties {
  const { direction, local, peer, source: identity } = connection;
  const caller = direction === Direction.outbound ? local : peer;
  connection.logged = {
    local,
    peer,
    identity,
    start:
      `"direction":"${directionName(direction)}"` +
      `,"source":{${addressText(connection.sourceAddress, connection.sourcePort)}${workloadText(caller)}}` +
      `,"destination":{${addressText(connection.destinationAddress, connection.destinationPort)}`,
    end: `,"identity":${quote(identity.spiffeId)},"authenticated":${connection.authenticated}`,
  };
  return connection.logged;
}

function addressText(address: string, port: number): string {
  return `"address":${quote(address)},"port":${port},`;
}

const workloadTexts = new WeakMap<WorkloadView, string>();

/** Namespace, name and uid, as members of an object. */
function workloadText(view: WorkloadView | null): string {
  if (view === null) return '"namespace":"unknown","workload":"unknown","uid":""';
  const known = workloadTexts.get(view);
  if (known !== undefined) return known;
  const { namespace, name: workload, uid } = view.workload;
  const text = JSON.stringify({ namespace, workload, uid }).slice(1, -1);
  workloadTexts.set(view, text);
  return text;
}

function serviceOf(connection: ConnectionRecord): string {
  const { destination } = connection;
  return destination.kind === 'service' ? destination.port.service.name : connection.serviceName;
}

function destinationView(connection: ConnectionRecord, endpoint: EndpointEntry | null): WorkloadView | null {
  if (endpoint !== null) return endpoint.view ?? null;
  return connection.destination.kind === 'workload' ? connection.destination.view : null;
}

function endpointText(endpoint: EndpointEntry | null): string {
  return endpoint === null ? '' : endpoint.candidate.key;
}

/** That a connection ended as its peers wished is no reason. */
function reasonText(reason: number): string {
  return reason === Reason.peer_closed ? 'none' : reasonName(reason);
}

/** JSON of a text; most need no escape. */
function quote(text: string): string {
  return plain.test(text) ? `"${text}"` : JSON.stringify(text);
}

const plain = /^[ !#-[\]-~]*$/;

/** Thousandths as they are written behind the point: formatting a fraction costs more than looking it up. */
const thousandths = Array.from({ length: 1000 }, (_, value) => `.${String(value).padStart(3, '0')}`);

/** Milliseconds with three decimals, of whole microseconds. */
function milliseconds(microseconds: number | undefined): string {
  const whole = Math.round(microseconds ?? 0);
  // Not by %, which is slow for what the engine hands over as floating point.
  const full = Math.floor(whole / 1000);
  return `${full}${thousandths[whole - full * 1000]}`;
}
