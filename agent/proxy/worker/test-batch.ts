/**
 * For tests: an engine that is nothing but the columns of a batch. What a test writes into rows and completions the
 * worker under test decides; verdicts come back as objects.
 */

import { addressBytes } from '../../../model/address.js';
import { type Edge, mergeEdges } from '../../../model/edge.js';
import type { Resource, ResourceKey } from '../../../model/resource.js';
import {
  Action,
  Alpn,
  absentHeader,
  CompletionKind,
  type Completions,
  type Edit,
  Method,
  maxWantedHeaders,
  type Reply,
  RowFlag,
  RowKind,
  type Verdicts,
} from '../../../native/engine.js';
import { type ReasonName, reasonName } from '../../../reasons/reasons.js';
import { PausedTimers } from '../control/paused-timers.js';
import { DecisionWorker } from './decision-worker.js';
import type { FromWorker } from './messages.js';
import { BatchEngine } from './test-engine.js';

export interface TestRequest {
  readonly method?: keyof typeof Method;
  readonly path?: string;
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly flags?: number;
}

/** A verdict as a test reads it. */
export interface TestVerdict {
  readonly action: keyof typeof Action | 'none';
  readonly reason: ReasonName | 'unknown';
  readonly tag: number;
  readonly flags: number;
  /** `address:port` of the endpoint; empty for the original destination. */
  readonly endpoint: string;
  /** SPIFFE id that the endpoint must prove; empty for plaintext. */
  readonly identity: string;
  readonly requestEdit: Edit | undefined;
  readonly responseEdit: Edit | undefined;
  readonly reply: Reply | undefined;
  readonly retryStatuses: readonly number[] | undefined;
  readonly path: string;
  readonly host: string;
  readonly extra: string;
  readonly deadlineMs: number;
  readonly backendTimeoutMs: number;
  readonly delayMs: number;
  readonly bufferBytes: number;
}

/** A worker over a batch of columns, with a clock and randomness of the test's own. */
export class TestBatch {
  readonly timers = new PausedTimers();
  readonly posted: FromWorker[] = [];
  readonly worker: DecisionWorker;
  readonly engine: BatchEngine;
  /** What `random` gives next; repeats its last number. */
  random: number[] = [0];
  /** Makes the trace stage, one of the last, throw. */
  failRandom = false;
  #version = 0;
  #nextWorkload = 1;

  constructor(options: { readonly accessLog?: boolean } = {}) {
    let made: BatchEngine | undefined;
    this.worker = new DecisionWorker({
      worker: 0,
      notesMap: -1,
      accessLog: options.accessLog ?? false,
      createEngine: (engineOptions) => {
        made = new BatchEngine(engineOptions);
        return made;
      },
      post: (message) => void this.posted.push(message),
      closeDescriptor: () => {},
      timers: this.timers,
      wallClock: () => 0,
      random: () => (this.random.length > 1 ? this.random.shift() : this.random[0]) ?? 0,
      fillRandom: (words) => {
        if (this.failRandom) throw new Error('no randomness');
        words.fill(0xabab_abab);
      },
      log: (level, message, details) =>
        void this.posted.push({ type: 'log', level, message, details: details ?? {} }),
    });
    if (made === undefined) throw new Error('the worker made no engine');
    this.engine = made;
  }

  apply(upserts: readonly Resource[], removals: readonly ResourceKey[] = []): void {
    this.#version += 1;
    this.worker.receive({ type: 'delta', delta: { upserts, removals }, version: this.#version });
  }

  /** Gives the worker a workload's listeners; returns its handle. */
  serve(uid: string): number {
    const handle = this.#nextWorkload++;
    const listeners = [{ direction: 'outbound', family: 4 } as const];
    this.worker.receive({ type: 'listeners', handle, uid, listeners, descriptors: [99] });
    return handle;
  }

  /** A connection is accepted and decided. */
  connect(
    workload: number,
    direction: 0 | 1,
    source: string,
    destination: string,
    port: number,
  ): TestVerdict {
    const { rows } = this.engine;
    this.#clear();
    rows.kind[0] = RowKind.connection;
    rows.id[0] = 7;
    rows.workload[0] = workload;
    rows.direction[0] = direction;
    rows.destinationIp.set(mapped(destination), 0);
    rows.sourceIp.set(mapped(source), 0);
    rows.destinationPort[0] = port;
    rows.sourcePort[0] = 40_000;
    this.engine.options.decide(1, 0);
    return this.verdict(0);
  }

  /** A workload proves who it is from now on. */
  identify(handle: number, uid: string): void {
    const roots = [new Uint8Array(1)];
    const [chain, privateKey, spiffeId, generation] = [roots, new Uint8Array([1, 2, 3]), `id of ${uid}`, 1];
    const identity = { handle, uid, spiffeId, generation, chain, privateKey, roots } as const;
    this.worker.receive({ type: 'identity', ...identity });
  }

  /** The TLS handshake of an inbound connection is done. */
  secured(connectionTag: number, peer: string, alpn: keyof typeof Alpn): TestVerdict {
    const { rows } = this.engine;
    this.#clear();
    rows.kind[0] = RowKind.secured;
    rows.id[0] = 7;
    rows.connectionTag[0] = connectionTag;
    rows.peerOffset[0] = 0;
    rows.peerLength[0] = this.engine.text.write(peer, 0, 'latin1');
    rows.alpn[0] = Alpn[alpn];
    this.engine.options.decide(1, 0);
    return this.verdict(0);
  }

  /** No TLS came on an inbound connection. */
  sniffed(connectionTag: number): TestVerdict {
    const { rows } = this.engine;
    this.#clear();
    rows.kind[0] = RowKind.sniffed;
    rows.id[0] = 7;
    rows.connectionTag[0] = connectionTag;
    this.engine.options.decide(1, 0);
    return this.verdict(0);
  }

  /** A request on a connection, decided. */
  request(connectionTag: number, request: TestRequest = {}): TestVerdict {
    this.#clear();
    this.putRequest(0, connectionTag, request);
    this.engine.options.decide(1, 0);
    return this.verdict(0);
  }

  /** An attempt of a request failed; decided. */
  attemptFailed(
    connectionTag: number,
    requestTag: number,
    failure: {
      readonly reason?: number;
      readonly status?: number;
      readonly notSent?: boolean;
      readonly unanswered?: boolean;
    },
    request: TestRequest = {},
  ): TestVerdict {
    this.#clear();
    this.putRequest(0, connectionTag, request);
    const { rows } = this.engine;
    rows.kind[0] = RowKind.attemptFailed;
    rows.requestTag[0] = requestTag;
    rows.reason[0] = failure.reason ?? 0;
    rows.status[0] = failure.status ?? 0;
    rows.flags[0] =
      (rows.flags[0] ?? 0) |
      (failure.notSent === true ? RowFlag.notSent : 0) |
      (failure.unanswered === true ? RowFlag.unanswered : 0);
    this.engine.options.decide(1, 0);
    return this.verdict(0);
  }

  /** An opaque connection's endpoint could not be reached; decided. */
  tunnelFailed(connectionTag: number, reason: number): TestVerdict {
    const { rows } = this.engine;
    this.#clear();
    rows.kind[0] = RowKind.attemptFailed;
    rows.connectionTag[0] = connectionTag;
    rows.requestTag[0] = 0;
    rows.reason[0] = reason;
    rows.flags[0] = RowFlag.notSent;
    this.engine.options.decide(1, 0);
    return this.verdict(0);
  }

  /** Something ended. */
  complete(completion: Partial<Record<keyof Completions, number>> & { readonly kind: number }): void {
    this.#clear();
    for (const column of Object.keys(this.engine.completions)) {
      this.engine.completions[column as keyof Completions].fill(0);
    }
    this.engine.completions.grpcStatus.fill(-1);
    for (const [column, value] of Object.entries(completion)) {
      this.engine.completions[column as keyof Completions][0] = value;
    }
    this.engine.options.decide(0, 1);
  }

  /** Writes a request row without deciding it. */
  putRequest(row: number, connectionTag: number, request: TestRequest): void {
    const { rows } = this.engine;
    const path = request.path ?? '/';
    const put = (text: string): number => {
      const at = this.engine.textUsed;
      this.engine.textUsed += this.engine.text.write(text, at, 'latin1');
      return at;
    };
    rows.kind[row] = RowKind.request;
    rows.connectionTag[row] = connectionTag;
    rows.method[row] = Method[request.method ?? 'GET'];
    rows.pathOffset[row] = put(path);
    rows.pathLength[row] = path.length;
    const host = request.host ?? 'cart.shop';
    rows.hostOffset[row] = put(host);
    rows.hostLength[row] = host.length;
    const plain = !/[%;\\]|\/\/|\/\./.test(path);
    rows.flags[row] = (request.flags ?? 0) | (plain ? RowFlag.plainPath : 0);
    for (const [column, name] of this.engine.wanted.entries()) {
      const value = request.headers?.[name];
      rows.headerLength[row * maxWantedHeaders + column] = value === undefined ? absentHeader : value.length;
      if (value !== undefined) rows.headerOffset[row * maxWantedHeaders + column] = put(value);
    }
  }

  verdict(row: number): TestVerdict {
    const { verdicts, scratch, defined, endpoints } = this.engine;
    const at = (column: keyof Verdicts): number => verdicts[column][row] ?? 0;
    const text = (name: 'path' | 'host' | 'extra'): string =>
      scratch.toString('latin1', at(`${name}Offset`), at(`${name}Offset`) + at(`${name}Length`));
    const endpoint = endpoints.get(at('endpoint'));
    const action = Object.entries(Action).find(([, code]) => code === at('action'))?.[0] ?? 'none';
    return {
      action: action as TestVerdict['action'],
      reason: reasonName(at('reason')),
      tag: at('tag'),
      flags: at('flags'),
      endpoint: endpoint === undefined ? '' : `${endpoint.address}:${endpoint.port}`,
      identity: endpoint?.identity ?? '',
      requestEdit: defined.get(`edit ${at('requestEdit')}`) as Edit | undefined,
      responseEdit: defined.get(`edit ${at('responseEdit')}`) as Edit | undefined,
      reply: defined.get(`reply ${at('reply')}`) as Reply | undefined,
      retryStatuses: defined.get(`status-set ${at('retryStatuses')}`) as readonly number[] | undefined,
      path: text('path'),
      host: text('host'),
      extra: text('extra'),
      deadlineMs: at('deadlineMs'),
      backendTimeoutMs: at('backendTimeoutMs'),
      delayMs: at('delayMs'),
      bufferBytes: at('bufferBytes'),
    };
  }

  /** Decides `rows` rows that were put. */
  decide(rows: number): TestVerdict[] {
    this.engine.options.decide(rows, 0);
    return Array.from({ length: rows }, (_, row) => this.verdict(row));
  }

  /** One metric's values, `label=value …` → number, with the labels named. */
  metric(name: string, ...labels: string[]): Record<string, number> {
    this.posted.length = 0;
    this.worker.receive({ type: 'report', request: 1, detail: 'none' });
    const report = this.posted.find((message) => message.type === 'report');
    const found = report?.metrics.find((family) => family.name === name);
    const values: Record<string, number> = {};
    for (const value of found?.values ?? []) {
      const key = labels.map((label) => value.labels[label]).join(' ');
      values[key] = (values[key] ?? 0) + value.value;
    }
    return values;
  }

  /** What the worker tells of edges, both directions together. */
  edges(): readonly Edge[] {
    this.posted.length = 0;
    this.worker.receive({ type: 'report', request: 1, detail: 'edges' });
    const report = this.posted.find((message) => message.type === 'report');
    return report === undefined ? [] : mergeEdges([report.edges]);
  }

  #clear(): void {
    this.engine.textUsed = 0;
    for (const column of Object.keys(this.engine.verdicts)) {
      this.engine.verdicts[column as keyof Verdicts].fill(0);
    }
  }
}

export { CompletionKind };

function mapped(address: string): Uint8Array {
  const bytes = addressBytes(address);
  if (bytes === null) throw new Error(`${address} is no address`);
  if (bytes.length === 16) return bytes;
  return Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...bytes]);
}
