/** Loads the unprivileged addon (native/addon/engine.cc): the engine, and the channel towards capture. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { ReasonCode } from '../reasons/reasons.js';
import { Reason } from '../reasons/reasons.js';
import type { ChannelFunctions } from './channel.js';
import type {
  Completions,
  ConnectionInfo,
  ConnectionMatch,
  DrainWay,
  Edit,
  EndpointOptions,
  Engine,
  EngineOptions,
  EngineStats,
  IdentityOptions,
  Reply,
  ResumeVerdict,
  Rows,
  Verdicts,
  WorkloadOptions,
} from './engine.js';
import { type BatchLayout, type BatchView, checkWords, viewBatch, type Words } from './engine-layout.js';

export interface EngineAddon extends ChannelFunctions {
  /** Starts an engine on this thread's event loop. Throws TypeError or RangeError on bad options. */
  createEngine(options: EngineOptions): Engine;
}

/** native/addon/engine.cc; it checks each argument's type and range. */
interface NativeEngine
  extends Omit<Engine, 'rows' | 'verdicts' | 'completions' | 'text' | 'scratch' | 'readText' | 'drain'> {
  readonly memory: ArrayBuffer;
  readonly layout: BatchLayout;
  drain(onDrained: () => void, handedOn: boolean): void;
}

interface NativeAddon extends ChannelFunctions {
  readonly words: Words;
  /** Files that the functions of nghttp2 and of Node come from. */
  readonly http2Library: { readonly nghttp2: string; readonly node: string };
  /** Says what is wrong with the OpenSSL that runs, given process.versions.openssl; '' where nothing is. */
  findOpensslProblem(expected: string): string;
  readonly NativeEngine: new (options: EngineOptions) => NativeEngine;
}

/** Handed on, what is idle ends so long before the deadline. */
const idleNoticeMs = 500;

const builtAddon = fileURLToPath(new URL('../../build/native/weft_engine.node', import.meta.url));

/**
 * The engine is compiled against nghttp2's headers and runs on the functions that Node exports; half of each would end
 * in memory errors. Throws where it got others, or older ones than those headers (1.52).
 */
export function checkHttp2Library(
  files: { readonly nghttp2: string; readonly node: string },
  version: string | undefined,
): void {
  if (files.nghttp2 === '' || files.nghttp2 !== files.node)
    throw new Error(
      `the engine must use the nghttp2 inside node (${files.node}), but the linker gave it ${files.nghttp2 || 'none'}; run weft with an official build of Node.js, and without LD_PRELOAD`,
    );
  const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
  if (!(major > 1 || (major === 1 && minor >= 52)))
    throw new Error(
      `the engine needs nghttp2 1.52 or later, and this node has ${version ?? 'none'}; use Node.js 24`,
    );
}

/** Throws where the file is missing, was built for another node, or from another contract than this code. */
export function loadEngine(path: string = builtAddon): EngineAddon {
  const addon = createRequire(import.meta.url)(path) as NativeAddon;
  checkWords(addon.words);
  checkHttp2Library(addon.http2Library, process.versions.nghttp2);
  const problem = addon.findOpensslProblem(process.versions.openssl);
  if (problem !== '') throw new Error(`the engine addon must use node's own OpenSSL: ${problem}`);
  return {
    listenChannel: addon.listenChannel,
    connectChannel: addon.connectChannel,
    createEngine: (options) => new LoadedEngine(new addon.NativeEngine(checkLimits(options))),
  };
}

/** Smallest and largest value of each limit; outside, the engine could not keep its own bounds. */
const limitRanges: Readonly<Record<keyof NonNullable<EngineOptions['limits']>, readonly [number, number]>> = {
  batchRows: [1, 4096],
  headBytes: [256, 60_000],
  headFields: [1, 128],
  targetBytes: [16, 32_768],
  headerTimeoutMs: [1, 86_400_000],
  idleTimeoutMs: [1, 86_400_000],
  tunnelIdleTimeoutMs: [1, 864_000_000],
  connectTimeoutMs: [1, 86_400_000],
  parkTimeoutMs: [1, 86_400_000],
  parked: [0, 1_000_000],
  bufferBytes: [4096, 16_777_216],
  turnBytes: [4096, 16_777_216],
  poolIdle: [0, 65_536],
  poolIdleTimeoutMs: [1, 86_400_000],
  turnHandshakes: [1, 4096],
  tlsHandshakeTimeoutMs: [1, 86_400_000],
  tlsSessions: [1, 1_000_000],
  tlsHandshakes: [1, 1_000_000],
  sniffTimeoutMs: [1, 86_400_000],
  http2ConcurrentStreams: [1, 65_536],
  http2StreamWindowBytes: [65_535, 0x7fff_ffff],
  http2ConnectionWindowBytes: [65_535, 0x7fff_ffff],
  spinUs: [0, 10_000],
  spinTurns: [1, 1000],
};

function checkLimits(options: EngineOptions): EngineOptions {
  for (const [name, value] of Object.entries(options.limits ?? {})) {
    const range = limitRanges[name as keyof typeof limitRanges];
    if (range === undefined) throw new TypeError(`limits.${name} is no limit of the engine`);
    if (!Number.isInteger(value) || value < range[0] || value > range[1])
      throw new RangeError(`limits.${name} must be an integer from ${range[0]} to ${range[1]}, not ${value}`);
  }
  return options;
}

/** Node's Buffer has this, undocumented in its types; toString('latin1', …) ends here after checks made already. */
type Latin1Buffer = Buffer & { latin1Slice(start: number, end: number): string };

class LoadedEngine implements Engine {
  readonly rows: Rows;
  readonly verdicts: Verdicts;
  readonly completions: Completions;
  readonly text: Buffer;
  readonly scratch: Buffer;
  readonly #native: NativeEngine;
  readonly #view: BatchView;
  readonly #latin1: Latin1Buffer;

  constructor(native: NativeEngine) {
    this.#native = native;
    this.#view = viewBatch(native.layout, native.memory);
    this.rows = this.#view.rows;
    this.verdicts = this.#view.verdicts;
    this.completions = this.#view.completions;
    this.text = this.#view.text;
    this.scratch = this.#view.scratch;
    this.#latin1 = this.text as Latin1Buffer;
  }

  // The arena is reused for other tenants' text, so a stale read must never succeed: checked on every call.
  readText(offset: number, length: number): string {
    const control = this.#view.control;
    if (control[0] !== 1) throw new RangeError('text of a row was read after its turn');
    const used = control[1] as number;
    if (!(offset >= 0 && length >= 0 && offset + length <= used))
      throw new RangeError(`text ${offset}+${length} lies outside the turn's ${used} bytes`);
    return this.#latin1.latin1Slice(offset, offset + length);
  }

  setWantedHeaders(names: readonly string[]): void {
    for (const name of names)
      if (!/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name))
        throw new TypeError(`${name} is no lower-case field name`);
    if (new Set(names).size !== names.length) throw new TypeError('a wanted header is named twice');
    this.#native.setWantedHeaders(names);
  }

  addWorkload(handle: number, options: WorkloadOptions): void {
    this.#native.addWorkload(handle, options);
  }

  setWorkload(handle: number, options: WorkloadOptions): void {
    this.#native.setWorkload(handle, options);
  }

  retireWorkload(handle: number, endMs: number): void {
    this.#native.retireWorkload(handle, endMs);
  }

  removeWorkload(handle: number, graceMs: number): void {
    this.#native.removeWorkload(handle, graceMs);
  }

  addListener(workload: number, direction: number, descriptor: number): void {
    this.#native.addListener(workload, direction, descriptor);
  }

  addSockets(workload: number, family: 4 | 6, descriptors: readonly number[]): void {
    this.#native.addSockets(workload, family, descriptors);
  }

  setIdentity(workload: number, identity: IdentityOptions): void {
    this.#native.setIdentity(workload, identity);
  }

  removeIdentity(workload: number, reason: ReasonCode, graceMs: number): void {
    this.#native.removeIdentity(workload, reason, graceMs);
  }

  forgetTickets(): void {
    this.#native.forgetTickets();
  }

  setEndpoint(id: number, endpoint: EndpointOptions): void {
    this.#native.setEndpoint(id, endpoint);
  }

  removeEndpoint(id: number): void {
    this.#native.removeEndpoint(id);
  }

  defineEdit(edit: Edit): number {
    return this.#native.defineEdit(edit);
  }

  defineReply(reply: Reply): number {
    return this.#native.defineReply(reply);
  }

  defineStatusSet(statuses: readonly number[]): number {
    return this.#native.defineStatusSet(statuses);
  }

  release(kind: 'edit' | 'reply' | 'status-set', id: number): void {
    this.#native.release(kind, id);
  }

  resume(id: number, generation: number, verdict: ResumeVerdict): boolean {
    return this.#native.resume(id, generation, verdict);
  }

  closeConnections(reason: ReasonCode, match: ConnectionMatch): number {
    return this.#native.closeConnections(reason, match);
  }

  drainConnections(reason: ReasonCode, match: ConnectionMatch, graceMs: number): number {
    return this.#native.drainConnections(reason, match, graceMs);
  }

  endRequests(reason: ReasonCode, match: { readonly requestTag: number }): number {
    return this.#native.endRequests(reason, match);
  }

  connections(): ConnectionInfo[] {
    return this.#native.connections();
  }

  stats(): EngineStats {
    return this.#native.stats();
  }

  drain(deadlineMs: number, way: DrainWay): Promise<number> {
    return new Promise((resolve) => {
      const timers: NodeJS.Timeout[] = [];
      let reset = 0;
      const drained = () => {
        for (const timer of timers) clearTimeout(timer);
        resolve(reset);
      };
      const after = (delayMs: number, call: () => void) => void timers.push(setTimeout(call, delayMs));
      this.#native.drain(drained, way === 'handed-on');
      if (way === 'handed-on') {
        after(Math.max(0, deadlineMs - idleNoticeMs), () => this.#native.drain(drained, false));
      }
      after(deadlineMs, () => {
        reset = this.#native.closeConnections(Reason.draining, {});
      });
    });
  }

  close(): void {
    this.#native.close();
  }
}
