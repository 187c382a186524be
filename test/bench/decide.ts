/**
 * `node dist/test/bench/decide.js`: what decisions alone take, without kernel and engine: the rows and completions of the
 * case `outbound` in a loop. `--ways=outbound,inbound,logged`, `--seconds=3`, `--rounds=3`. With `--cold` other memory is read
 * between two batches, as much as a core's second cache holds, since a batch's system calls leave the caches so. Prints the
 * least of all rounds: what else runs on the machine only adds. Node's `--cpu-prof` shows where the time goes.
 */
import { parseArgs } from 'node:util';
import { systemTimers } from '../../agent/proxy/control/timers.js';
import { seededRandom } from '../../agent/proxy/telemetry/seeded-random.js';
import { DecisionWorker } from '../../agent/proxy/worker/decision-worker.js';
import type { FromWorker } from '../../agent/proxy/worker/messages.js';
import { BatchEngine } from '../../agent/proxy/worker/test-engine.js';
import { buildResources } from '../../controller/resources/build-resources.js';
import { ManifestStore } from '../../controller/resources/manifest-store.js';
import { readDocuments } from '../../controller/source/read-documents.js';
import type { Resource } from '../../model/resource.js';
import {
  Action,
  absentHeader,
  CompletionKind,
  Direction,
  Method,
  RowFlag,
  RowKind,
} from '../../native/engine.js';
import type { Network, Pod } from './network.js';
import { backendPorts, hosts, prefixes } from './rules.js';
import { front, manifests } from './subjects/weft.js';

type LoopWay = 'outbound' | 'inbound' | 'logged';

const { values } = parseArgs({
  options: {
    ways: { type: 'string', default: 'outbound,inbound,logged' },
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '3' },
    cold: { type: 'boolean', default: false },
  },
});

const connections = 64;
/** Requests of one batch, and the two completions of each of the batch before. */
const batchRows = 8;
const pod = (name: string, host: number): Pod => ({ namespace: name, address: `10.213.77.${host}` });
const network: Network = {
  client: pod('client', 2),
  server: pod('server', 3),
  other: pod('other', 4),
  weftClient: pod('wclient', 5),
  weftServer: pod('wserver', 6),
  weftBackend: pod('wbackend', 7),
};

function resources(way: LoopWay): readonly Resource[] {
  const store = new ManifestStore();
  store.apply([readDocuments('bench.yaml', manifests(way, network))]);
  const built = buildResources(store.manifests(), { trustDomain: null, node: 'local' });
  if (built.resources === null) throw new Error('the manifests have no trust domain');
  return built.resources;
}

/** Reads as the real one does. */
class LoopEngine extends BatchEngine {
  override readText(offset: number, length: number): string {
    return (this.text as Buffer & { latin1Slice(start: number, end: number): string }).latin1Slice(
      offset,
      offset + length,
    );
  }
}

interface Loop {
  readonly engine: LoopEngine;
  /** Where each of the requests' texts stands: path, its length, host, its length. */
  readonly texts: readonly (readonly [number, number, number, number])[];
}

/** A worker of one way with its connections open and decided. */
function openLoop(way: LoopWay): Loop {
  let made: LoopEngine | undefined;
  const worker = new DecisionWorker({
    worker: 0,
    notesMap: -1,
    accessLog: way === 'logged',
    createEngine: (options) => {
      made = new LoopEngine(options);
      return made;
    },
    post: (message: FromWorker) => {
      if (message.type === 'log') throw new Error(`${message.message} ${JSON.stringify(message.details)}`);
      if (message.type === 'access-log') worker.receive({ type: 'log-written', lines: message.lines });
    },
    closeDescriptor: () => {},
    timers: { ...systemTimers, after: () => ({ cancel: () => {} }) },
    wallClock: Date.now,
    random: Math.random,
    fillRandom: seededRandom(Uint32Array.of(1, 2, 3, 4)),
    log: (_level, message, details) => {
      throw new Error(`${message} ${JSON.stringify(details)}`);
    },
  });
  if (made === undefined) throw new Error('the worker made no engine');
  worker.receive({ type: 'delta', delta: { upserts: resources(way), removals: [] }, version: 1 });
  const served = way === 'inbound' ? 'server' : 'client';
  const uid = [...worker.snapshot.workloads.values()].find((view) => view.workload.name === served)?.workload
    .uid;
  if (uid === undefined) throw new Error(`no workload ${served}`);
  worker.receive({ type: 'listeners', handle: 1, uid, listeners: [], descriptors: [] });
  const loop = { engine: made, texts: putTexts(made) };
  for (let at = 0; at < connections; at += 1) connect(loop, way, at);
  return loop;
}

function connect({ engine }: Loop, way: LoopWay, at: number): void {
  const { rows, verdicts } = engine;
  const inbound = way === 'inbound';
  rows.kind[0] = RowKind.connection;
  rows.workload[0] = 1;
  rows.direction[0] = inbound ? Direction.inbound : Direction.outbound;
  putAddress(rows.sourceIp, inbound ? network.client.address : network.weftClient.address);
  putAddress(rows.destinationIp, inbound ? network.weftServer.address : front.address);
  rows.sourcePort[0] = 40_000 + at;
  rows.destinationPort[0] = inbound ? backendPorts[0] : front.port;
  verdicts.action[0] = 0;
  engine.options.decide(1, 0);
  const wanted = inbound ? [Action.http, Action.sniff] : [Action.http];
  if (!wanted.includes(verdicts.action[0] as (typeof wanted)[number]))
    throw new Error(`the connection was answered ${verdicts.action[0]}, not http`);
}

function putAddress(column: Uint8Array, address: string): void {
  column.fill(0, 0, 16);
  column.set([0xff, 0xff, ...address.split('.').map(Number)], 10);
}

/** As wrk sends them in the case `outbound`. */
function putTexts({ text }: LoopEngine): Loop['texts'] {
  let used = 0;
  const put = (value: string): [number, number] => {
    const at = used;
    used += text.write(value, used, 'latin1');
    return [at, value.length];
  };
  const all = hosts.length * prefixes.length;
  return Array.from({ length: all }, (_, index) => {
    const at = (index * 189) % all;
    const path = put(`/p${at % prefixes.length}/items/${index}`);
    return [...path, ...put(hosts[Math.floor(at / prefixes.length)] as string)] as const;
  });
}

/** One batch: a request on each of `batchRows` connections from `first` on, and what ended of the batch before. */
class Turns {
  readonly #loop: Loop;
  readonly #direction: number;
  #request = 0;
  #connection = 0;
  #completions = 0;

  constructor(loop: Loop, way: LoopWay) {
    this.#loop = loop;
    this.#direction = way === 'inbound' ? Direction.inbound : Direction.outbound;
    const { rows } = loop.engine;
    rows.headerLength.fill(absentHeader);
    for (let row = 0; row < batchRows; row += 1) {
      rows.kind[row] = RowKind.request;
      rows.workload[row] = 1;
      rows.direction[row] = this.#direction;
      rows.method[row] = Method.GET;
      rows.flags[row] = RowFlag.plainPath;
      rows.protocol[row] = 1;
    }
  }

  turn(): void {
    const { engine, texts } = this.#loop;
    const { rows, verdicts } = engine;
    for (let row = 0; row < batchRows; row += 1) {
      const text = texts[this.#request] as Loop['texts'][number];
      this.#request = this.#request + 1 === texts.length ? 0 : this.#request + 1;
      rows.connectionTag[row] = this.#connection + 1;
      this.#connection = (this.#connection + 1) % connections;
      rows.pathOffset[row] = text[0];
      rows.pathLength[row] = text[1];
      rows.hostOffset[row] = text[2];
      rows.hostLength[row] = text[3];
      verdicts.action[row] = 0;
    }
    engine.options.decide(batchRows, this.#completions);
    this.#completions = batchRows * 2;
    for (let row = 0; row < batchRows; row += 1) this.#end(row);
  }

  /** The row was answered and its answer is through: an attempt and a request that ended. */
  #end(row: number): void {
    const { verdicts, completions } = this.#loop.engine;
    if (verdicts.action[row] !== Action.forward)
      throw new Error(
        `a request was answered ${verdicts.action[row]} (${verdicts.reason[row]}), not forward`,
      );
    for (const at of [row * 2, row * 2 + 1]) {
      completions.kind[at] = at % 2 === 0 ? CompletionKind.attempt : CompletionKind.request;
      completions.workload[at] = 1;
      completions.direction[at] = this.#direction;
      completions.requestTag[at] = verdicts.tag[row] as number;
      completions.endpoint[at] = verdicts.endpoint[row] as number;
      completions.status[at] = 200;
      completions.grpcStatus[at] = -1;
      completions.bytesSent[at] = 1024;
      completions.decideUs[at] = 40;
      completions.firstByteUs[at] = 900 + this.#request;
      completions.totalUs[at] = 950 + this.#request;
    }
  }
}

/** Of a second cache of 1 MiB. */
const otherMemory = new Float64Array(values.cold ? 131_072 : 0);

function useOtherMemory(): void {
  let sum = 0;
  for (let at = 0; at < otherMemory.length; at += 8) sum += otherMemory[at] as number;
  if (sum !== 0) throw new Error('the other memory was written to');
}

/** Microseconds a request. */
function measure(turns: Turns, seconds: number): number {
  let used = 0n;
  let requests = 0;
  while (used < seconds * 1e9) {
    for (let stride = 0; stride < 1_000; stride += 1) {
      useOtherMemory();
      const start = process.hrtime.bigint();
      turns.turn();
      used += process.hrtime.bigint() - start;
    }
    requests += 1_000 * batchRows;
  }
  return Number(used) / 1_000 / requests;
}

for (const way of values.ways.split(',') as LoopWay[]) {
  const turns = new Turns(openLoop(way), way);
  measure(turns, 1); // warm-up
  const rounds = Array.from({ length: Number(values.rounds) }, () => measure(turns, Number(values.seconds)));
  const least = Math.min(...rounds);
  process.stdout.write(
    `${way}: ${least.toFixed(3)} µs a request (${rounds.map((us) => us.toFixed(3)).join(', ')})\n`,
  );
}
