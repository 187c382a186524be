/**
 * One JSON object per ended request or connection (docs/telemetry.md). Values of headers never get here. Lines are
 * put together from few parts, most of which change seldom: who calls once per connection, where it goes once per
 * endpoint, the time once per millisecond.
 */
import type { WorkloadView } from '../../../model/snapshot.js';
import { type Completions, Direction } from '../../../native/engine.js';
import { Reason, reasonName } from '../../../reasons/reasons.js';
import type { ConnectionRecord } from '../worker/connection-record.js';
import type { EndpointEntry } from '../worker/endpoint-table.js';
import type { RequestRecord } from '../worker/request-record.js';
import { Transport, transportName } from '../worker/transport.js';
import type { FarEndHolder, LoggedFarEnd, LoggedParties } from './logged-parties.js';
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
  /** Begins of lines at that time. */
  #request = '';
  #connection = '';

  constructor(parts: AccessLogParts) {
    this.#parts = parts;
  }

  request(request: RequestRecord, at: number): void {
    const connection = request.connection as ConnectionRecord;
    const { start, end, farEnd } = partsOf(
      connection,
      request.endpoint,
      (request.target ?? request.service)?.service.name,
      request.transport,
    );
    this.#readTime();
    this.#parts.add(
      this.#request +
        start +
        farEnd.destination +
        end +
        protocolText(request) +
        methodText(request.method) +
        quote(request.host) +
        ',"path":' +
        quote(request.path) +
        this.#ended(at) +
        this.#grpcStatus(at) +
        ',"route":' +
        quote(request.routeLabel) +
        farEnd.rest +
        ',"attempt":' +
        request.attempts +
        ',"trace":"' +
        request.traceId +
        '","snapshot":' +
        request.snapshotVersion +
        '}',
    );
  }

  /** A request whose head was refused before it could be decided. */
  malformed(connection: ConnectionRecord, at: number): void {
    const { start, end, farEnd } = partsOf(connection, null, undefined, connection.transport);
    this.#readTime();
    this.#parts.add(
      `${this.#request}${start}${farEnd.destination}${end},"protocol":"http/1.1"${this.#ended(at)}` +
        `,"route":"default","endpoint":"","attempt":0,"snapshot":${this.#parts.snapshotVersion()}}`,
    );
  }

  connection(connection: ConnectionRecord, at: number): void {
    const { endpoint, snapshot, transport } = connection;
    const { start, end, farEnd } = partsOf(connection, endpoint, undefined, transport);
    this.#readTime();
    this.#parts.add(
      `${this.#connection}${start}${farEnd.destination}${end}` +
        `,"protocol":"${connection.http ? 'http/1.1' : 'tcp'}"${this.#ended(at)}` +
        `${farEnd.rest},"snapshot":${snapshot?.version ?? this.#parts.snapshotVersion()}}`,
    );
  }

  #readTime(): void {
    const now = this.#parts.wallClock();
    if (now === this.#timeMs) return;
    this.#timeMs = now;
    const start = `{"schema":1,"time":"${new Date(now).toISOString()}","kind":`;
    this.#request = `${start}"request",`;
    this.#connection = `${start}"connection",`;
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
      outcomeText(completions.status[at] as number, completions.reason[at] as number) +
      (completions.bytesReceived[at] as number) +
      ',"bytesSent":' +
      (completions.bytesSent[at] as number) +
      ',"decideMs":' +
      milliseconds(completions.decideUs[at] as number, beforeConnect) +
      milliseconds(completions.connectUs[at] as number, beforeFirstByte) +
      milliseconds(completions.firstByteUs[at] as number, beforeTotal) +
      milliseconds(completions.totalUs[at] as number, beforeNothing)
    );
  }
}

const http11 = ',"protocol":"http/1.1"';

function protocolText({ http2, http10 }: RequestRecord): string {
  if (http2) return ',"protocol":"http/2"';
  return http10 ? ',"protocol":"http/1.0"' : http11;
}

function methodText(method: string): string {
  return method === 'GET' ? ',"method":"GET","host":' : `,"method":${quote(method)},"host":`;
}

interface Parts {
  start: string;
  end: string;
  farEnd: LoggedFarEnd;
}

/** The caller's parts of a line, and the far end's. */
function partsOf(
  connection: ConnectionRecord,
  endpoint: EndpointEntry | null,
  service: string | undefined,
  transport: number,
): Parts {
  const { local, peer, source, logged } = connection;
  const kept =
    logged !== null && logged.local === local && logged.peer === peer && logged.identity === source;
  const parties = kept ? logged : keepParties(connection);
  const outbound = connection.direction === Direction.outbound;
  const view = outbound ? destinationView(connection, endpoint) : local;
  const peerId = peerOf(connection, endpoint, transport);
  const name = service ?? serviceOf(connection);
  const farEnd = farEndOf(endpoint ?? parties, endpoint, view, name, transport, peerId);
  return { start: parties.start, end: parties.end, farEnd };
}

function farEndOf(
  holder: FarEndHolder,
  endpoint: EndpointEntry | null,
  view: WorkloadView | null,
  service: string,
  transport: number,
  peer: string,
): LoggedFarEnd {
  const kept = holder.farEnd;
  if (
    kept !== null &&
    kept.view === view &&
    kept.service === service &&
    kept.transport === transport &&
    kept.peer === peer
  ) {
    return kept;
  }
  const farEnd = {
    view,
    service,
    transport,
    peer,
    destination: `${workloadText(view)},"service":${quote(service)}}`,
    rest: `,"transport":"${transportName(transport)}","peer":${quote(peer)},"endpoint":"${endpointText(endpoint)}"`,
  };
  holder.farEnd = farEnd;
  return farEnd;
}

function keepParties(connection: ConnectionRecord): LoggedParties {
  const { direction, local, peer, source: identity } = connection;
  const caller = direction === Direction.outbound ? local : peer;
  connection.logged = {
    farEnd: null,
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

/** The identity of the far end: who called (inbound), or who answered (outbound). */
function peerOf(connection: ConnectionRecord, endpoint: EndpointEntry | null, transport: number): string {
  if (transport !== Transport.tls) return '';
  return connection.peerId === '' ? (endpoint?.tlsIdentity ?? '') : connection.peerId;
}

function addressText(address: string, port: number): string {
  return `"address":${quote(address)},"port":${port},`;
}

/** Namespace, name and uid, as members of an object. */
function workloadText(view: WorkloadView | null): string {
  if (view === null) return '"namespace":"unknown","workload":"unknown","uid":""';
  const { namespace, name: workload, uid } = view.workload;
  return `"namespace":${quote(namespace)},"workload":${quote(workload)},"uid":${quote(uid)}`;
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

/** By status: what nearly every line says, where nothing went wrong. */
const outcomes: (string | undefined)[] = [];

function outcomeText(status: number, reason: number): string {
  const wentWell = reason === Reason.none || reason === Reason.peer_closed;
  const known = wentWell ? outcomes[status] : undefined;
  if (known !== undefined) return known;
  // That a connection ended as its peers wished is no reason.
  const name = wentWell ? 'none' : reasonName(reason);
  const text = `,"status":${status},"reason":"${name}","bytesReceived":`;
  if (wentWell) outcomes[status] = text;
  return text;
}

/** JSON of a text, in ASCII; most need no escape. */
function quote(text: string): string {
  return plain.test(text) ? `"${text}"` : escapeText(text);
}

/** ASCII, as {@link AccessLogBuffer.add} wants it. */
function escapeText(text: string): string {
  const hex = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(text).replace(/[\u007f-\uffff]/g, hex);
}

const plain = /^[ !#-[\]-~]*$/;

/** Thousandths as they are written behind the point, and what follows: looking them up costs less than formatting. */
const thousandths = (next: string) =>
  Array.from({ length: 1000 }, (_, value) => `.${String(value).padStart(3, '0')}${next}`);
const beforeConnect = thousandths(',"connectMs":');
const beforeFirstByte = thousandths(',"firstByteMs":');
const beforeTotal = thousandths(',"totalMs":');
const beforeNothing = thousandths('');

/** Milliseconds with three decimals, of whole microseconds, and what follows. */
function milliseconds(microseconds: number, behindPoint: readonly string[]): string {
  const whole = Math.round(microseconds);
  // Not by %, which is slow for what the engine hands over as floating point.
  const full = Math.floor(whole / 1000);
  return full + (behindPoint[whole - full * 1000] as string);
}
