/**
 * Keeps the statuses of the cluster's objects saying what the controller knows: compares what is with what shall be,
 * and writes the differences, while this controller holds the lease. Level-triggered: whatever is lost on the way (a
 * conflict, a full queue, a change of the leader) is found again by the next look.
 */
import type { StatusProblem } from '../resources/status-problem.js';
import type { StatusReport } from '../status/status-report.js';
import type { ApiAnswer, ApiClient } from './api-client.js';
import { asRecord, readApiObject } from './api-object.js';
import type { NodeRefusal } from './describe-status.js';
import type { ObjectDelta } from './object-index.js';
import { apiVersionOf, objectPath, type ResourceType } from './resource-type.js';
import { sameJson } from './same-json.js';
import { StatusQueue } from './status-queue.js';
import { recordKey, type StatusRecord, StatusRecords } from './status-record.js';
import { type Reach, type StatusFacts, wantStatus } from './wanted-status.js';

export interface StatusReporterOptions {
  readonly client: ApiClient;
  /** What the controller knows now. */
  readonly report: () => StatusKnowledge;
  readonly onTrouble: (message: string) => void;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Wall clock. */
  readonly now: () => Date;
}

/** What statuses are made of. */
export type StatusKnowledge = Pick<StatusReport, 'version' | 'problems' | 'nodes'>;

/** Owner of the fields that are written. */
const fieldManager = 'weft-controller';
/** Changes within so long of each other lead to one look. */
const gatherMs = 50;
/** How often at most the mesh tells how far the configuration has come; also when everything is looked at again. */
const reachMs = 5000;

interface StatusWrite {
  readonly record: StatusRecord;
  readonly status: Readonly<Record<string, unknown>>;
}

export class StatusReporter {
  readonly #options: StatusReporterOptions;
  readonly #records = new StatusRecords();
  readonly #queue: StatusQueue<StatusWrite>;
  #leading = false;
  #timer: NodeJS.Timeout | undefined;
  #repeat: NodeJS.Timeout | undefined;
  #reach: Reach = { version: 0, nodes: 0, reachedNodes: 0 };
  /** Keys of objects that have changed, or whose last write has ended, since they were looked at. */
  readonly #stirred = new Set<string>();
  #facts = new Facts([], []);
  #refused = '';
  #written = 0;

  constructor(options: StatusReporterOptions) {
    this.#options = options;
    this.#queue = new StatusQueue<StatusWrite>({
      write: (write, signal) => this.#write(write, signal),
      onDone: (key, write, answer) => this.#done(key, write, answer),
      onTrouble: options.onTrouble,
      random: options.random,
    });
  }

  /** Statuses written since the start. */
  get written(): number {
    return this.#written;
  }

  get leading(): boolean {
    return this.#leading;
  }

  /** Sees every change of the cluster's objects. */
  observe(type: ResourceType, deltas: readonly ObjectDelta[]): void {
    if (!this.#records.observe(type, deltas) || !this.#leading) return;
    for (const { key } of deltas) this.#stirred.add(recordKey(type.kind, key));
    this.changed();
  }

  /** Something that the controller knows has changed. */
  changed(): void {
    if (this.#leading) this.#timer ??= setTimeout(() => this.#look(false), gatherMs).unref();
  }

  /** Begins to write, or stops. */
  lead(leading: boolean): void {
    this.#leading = leading;
    clearInterval(this.#repeat);
    if (leading) {
      this.#repeat = setInterval(() => this.#lookAgain(), reachMs).unref();
      this.#lookAgain();
    } else {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#stirred.clear();
      this.#queue.clear();
    }
  }

  #lookAgain(): void {
    const { version, nodes } = this.#options.report();
    const reached = nodes.filter((node) => node.connected && node.ackedVersion === version);
    this.#reach = { version, nodes: nodes.length, reachedNodes: reached.length };
    this.#look(true);
  }

  /** `all`: at every object; else at those that have changed, or that something else is known of. */
  #look(all: boolean): void {
    this.#timer = undefined;
    const { problems, nodes } = this.#options.report();
    const before = this.#facts;
    this.#facts = new Facts(problems, nodes);
    const keys = all
      ? this.#records.keys()
      : new Set([...this.#stirred, ...this.#facts.changedSince(before)]);
    this.#stirred.clear();
    const now = this.#options
      .now()
      .toISOString()
      .replace(/\.\d+Z$/, 'Z');
    for (const key of keys) {
      const record = this.#records.get(key);
      // What is being written comes back with what it says now.
      if (record === undefined || this.#queue.isWriting(key)) continue;
      const status = wantStatus(record, { ...this.#facts.of(key), reach: this.#reach }, now);
      if (status !== null && !this.#queue.put(key, { record, status })) return;
    }
  }

  /** Server-side apply, for exactly the object and version that were judged. */
  #write({ record, status }: StatusWrite, signal: AbortSignal): Promise<ApiAnswer> {
    const { type, namespace, name, uid, resourceVersion } = record;
    // A route's parents are replaced as a whole: nobody else's entry may be lost in between.
    const wholeList = type.kind === 'HTTPRoute' || type.kind === 'GRPCRoute';
    const body = {
      apiVersion: apiVersionOf(type),
      kind: type.kind,
      metadata: {
        ...(type.namespaced ? { namespace } : {}),
        name,
        uid,
        ...(wholeList ? { resourceVersion } : {}),
      },
      status,
    };
    return this.#options.client.send(
      {
        method: 'PATCH',
        path: `${objectPath(type, namespace, name)}/status`,
        query: { fieldManager, force: 'true' },
        body,
        contentType: 'application/apply-patch+yaml',
        silenceMs: 15_000,
      },
      signal,
    );
  }

  #done(key: string, { record }: StatusWrite, answer: ApiAnswer | null): void {
    const { type } = record;
    if (answer !== null && answer.status < 300) {
      this.#written += 1;
      const object = readApiObject(answer.body, apiVersionOf(type), type.kind);
      if (object !== null) this.#records.written(type, key.slice(type.kind.length + 1), object);
    } else if (answer !== null && answer.status !== 404 && answer.status !== 409) {
      this.#sayRefused(key, answer);
    }
    this.#stirred.add(key);
    this.changed();
  }

  /** Tells of a refusal once until there is another one. */
  #sayRefused(key: string, { status, body }: ApiAnswer): void {
    const said = asRecord(body)?.message;
    const text = `status of ${key} is refused with ${status}: ${typeof said === 'string' ? said : ''}`;
    if (text !== this.#refused) this.#options.onTrouble(text);
    this.#refused = text;
  }
}

/** What is known of objects, by recordKey. */
class Facts {
  readonly #problems: ReadonlyMap<string, readonly StatusProblem[]>;
  readonly #refusals: ReadonlyMap<string, readonly NodeRefusal[]>;

  constructor(problems: readonly StatusProblem[], nodes: StatusReport['nodes']) {
    this.#problems = groupProblems(problems);
    this.#refusals = groupRefusals(nodes);
  }

  of(key: string): Pick<StatusFacts, 'problems' | 'refusals'> {
    return { problems: this.#problems.get(key) ?? [], refusals: this.#refusals.get(key) ?? [] };
  }

  /** Keys of objects of which something else is known now. */
  changedSince(before: Facts): string[] {
    const keys = new Set([this, before].flatMap((one) => [...one.#problems.keys(), ...one.#refusals.keys()]));
    return [...keys].filter((key) => !sameJson(this.of(key), before.of(key)));
  }
}

function groupProblems(problems: readonly StatusProblem[]): Map<string, StatusProblem[]> {
  const groups = new Map<string, StatusProblem[]>();
  for (const problem of problems) {
    const { kind, namespace, name } = problem;
    addTo(groups, recordKey(kind, namespace === '' ? name : `${namespace}/${name}`), problem);
  }
  return groups;
}

/** Kinds of resources whose objects have a status of their own. */
const objectKinds: Readonly<Record<string, string>> = {
  'http-route': 'HTTPRoute',
  'grpc-route': 'GRPCRoute',
  'authorization-policy': 'AuthorizationPolicy',
};

function groupRefusals(nodes: StatusReport['nodes']): Map<string, NodeRefusal[]> {
  const groups = new Map<string, NodeRefusal[]>();
  for (const { node, refusals } of nodes) {
    for (const { kind, name, problems } of refusals) {
      const objectKind = objectKinds[kind];
      if (objectKind === undefined) continue;
      const [first] = problems;
      const refusal = { node, field: first?.field ?? '', message: first?.message ?? 'no reason given' };
      addTo(groups, recordKey(objectKind, name), refusal);
    }
  }
  return groups;
}

function addTo<Value>(groups: Map<string, Value[]>, key: string, value: Value): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [value]);
  else group.push(value);
}
