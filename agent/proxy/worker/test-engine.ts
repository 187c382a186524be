/** For tests: an engine that is nothing but the columns of a batch, and notes what it is told. */
import type {
  ConnectionInfo,
  Edit,
  EndpointOptions,
  Engine,
  EngineOptions,
  EngineStats,
  IdentityOptions,
  Reply,
  ResumeVerdict,
} from '../../../native/engine.js';
import { type MakeColumn, makeCompletions, makeRows, makeVerdicts } from '../../../native/engine-layout.js';
import { reasonName } from '../../../reasons/reasons.js';

/** Rows, and completions, of one batch. */
const capacity = 16;

const make: MakeColumn = (_name, type, perRow) => {
  const length = capacity * perRow;
  return new type(new ArrayBuffer(length * type.BYTES_PER_ELEMENT), 0, length);
};

export class BatchEngine implements Engine {
  readonly rows = makeRows(make);
  readonly verdicts = makeVerdicts(make);
  readonly completions = makeCompletions(make);
  readonly text = Buffer.alloc(65_536);
  readonly scratch = Buffer.alloc(4_096);
  readonly options: EngineOptions;
  wanted: readonly string[] = [];
  readonly endpoints = new Map<number, EndpointOptions>();
  readonly defined = new Map<string, Edit | Reply | readonly number[]>();
  readonly resumed: (ResumeVerdict & { id: number })[] = [];
  readonly workloads = new Map<number, object>();
  readonly retired: number[] = [];
  readonly identities = new Map<number, IdentityOptions>();
  /** Why `setIdentity` throws; empty where it does not. */
  refusedIdentity = '';
  /** What was ended otherwise than by closing at once. */
  readonly ended: string[] = [];
  /** How often they were. */
  forgottenTickets = 0;
  readonly closed: { reason: string; tag: number }[] = [];
  #nextId = 1;
  textUsed = 0;

  constructor(options: EngineOptions) {
    this.options = options;
  }

  readText(offset: number, length: number): string {
    return this.text.toString('latin1', offset, offset + length);
  }
  setWantedHeaders(names: readonly string[]): void {
    this.wanted = names;
  }
  addWorkload(handle: number, options: object): void {
    this.workloads.set(handle, options);
  }
  setWorkload(handle: number, options: object): void {
    this.workloads.set(handle, options);
  }
  retireWorkload(handle: number): void {
    this.retired.push(handle);
  }
  removeWorkload(handle: number): void {
    this.workloads.delete(handle);
  }
  addListener(): void {}
  addSockets(): void {}
  setIdentity(workload: number, identity: IdentityOptions): void {
    if (this.refusedIdentity !== '') throw new RangeError(this.refusedIdentity);
    this.identities.set(workload, identity);
  }
  removeIdentity(workload: number, reason: number, graceMs: number): void {
    this.identities.delete(workload);
    this.ended.push(`identity ${workload} ${reasonName(reason)} ${graceMs}`);
  }
  forgetTickets(): void {
    this.forgottenTickets += 1;
  }
  setEndpoint(id: number, endpoint: EndpointOptions): void {
    this.endpoints.set(id, endpoint);
  }
  removeEndpoint(id: number): void {
    this.endpoints.delete(id);
  }
  defineEdit(edit: Edit): number {
    return this.#define('edit', edit);
  }
  defineReply(reply: Reply): number {
    return this.#define('reply', reply);
  }
  defineStatusSet(statuses: readonly number[]): number {
    return this.#define('status-set', statuses);
  }
  release(kind: string, id: number): void {
    if (!this.defined.delete(`${kind} ${id}`)) throw new RangeError(`${kind} ${id} is not defined`);
  }
  resume(id: number, _generation: number, verdict: ResumeVerdict): boolean {
    this.resumed.push({ id, ...verdict });
    return true;
  }
  closeConnections(reason: number, match: { connectionTag?: number }): number {
    this.closed.push({ reason: reasonName(reason), tag: match.connectionTag ?? 0 });
    return 1;
  }
  drainConnections(reason: number, match: { connectionTag?: number }, graceMs: number): number {
    this.ended.push(`connection ${match.connectionTag} ${reasonName(reason)} ${graceMs}`);
    return 1;
  }
  endRequests(reason: number, match: { requestTag: number }): number {
    this.ended.push(`request ${match.requestTag} ${reasonName(reason)}`);
    return 1;
  }
  connections(): ConnectionInfo[] {
    return [];
  }
  stats(): EngineStats {
    return {
      connections: 0,
      exchanges: 0,
      pooled: 0,
      parked: 0,
      bufferedBytes: 0,
      sockets: 0,
      turns: 0,
      rows: 0,
      clientHandshakes: 0,
      serverHandshakes: 0,
      failedHandshakes: 0,
      resumedAsClient: 0,
      resumedAsServer: 0,
      outdatedTickets: 0,
      misplacedTickets: 0,
      tlsSessions: 0,
      tlsBytes: 0,
      tickets: 0,
      streams: 0,
    };
  }
  async drain(): Promise<number> {
    return 0;
  }
  close(): void {}

  #define(kind: string, value: Edit | Reply | readonly number[]): number {
    const id = this.#nextId++;
    this.defined.set(`${kind} ${id}`, value);
    return id;
  }
}
