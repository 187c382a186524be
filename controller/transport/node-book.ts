/**
 * What nodes and replicas have said: what they have in force, and how the nodes' own workloads stand. A node that has moved
 * from one replica to another may seem to be at both for a moment, and nobody can tell which is old: the lesser of what
 * both say counts.
 */

/** How long others wait for a node that is gone. */
export const patienceMs = 30_000;
/**
 * How long a workload that is to be released waits for nodes that do not acknowledge: whoever went away while it waited
 * has had its time then.
 */
export const releaseMs = 2 * patienceMs;
/** A node that has come back says how its workloads stand within this time; until then they are as they were. */
export const reportDueMs = 10_000;
/** Nodes that went away are remembered up to so many. */
const maxGone = 1000;

/** One node at one replica. */
interface NodeSession {
  readonly comeMs: number;
  /** The newest generation that is in force. */
  acked: number;
  /** By uid, true: captured and able to prove itself. null before the first report. */
  report: ReadonlyMap<string, boolean> | null;
  /** This stream has brought a report. */
  fresh: boolean;
  /** It has brought none in time, and {@link NodeBook.reportsDue} has said so. */
  overdue: boolean;
}

interface NodeRecord {
  /** By replica. */
  readonly sessions: Map<string, NodeSession>;
  /** The last session that ended; null where one is open. */
  gone: { readonly sinceMs: number; readonly last: NodeSession } | null;
}

interface ReplicaRecord {
  goneSinceMs: number | null;
  /** The newest generation that it publishes in full. */
  acked: number;
}

export class NodeBook {
  readonly #nodes = new Map<string, NodeRecord>();
  readonly #replicas = new Map<string, ReplicaRecord>();

  get connected(): number {
    return [...this.#nodes.values()].filter(({ gone }) => gone === null).length;
  }

  has(node: string): boolean {
    return this.#nodes.has(node);
  }

  come(node: string, via: string, nowMs: number): void {
    const record = this.#nodes.get(node) ?? { sessions: new Map<string, NodeSession>(), gone: null };
    const before = record.gone?.last ?? [...record.sessions.values()].at(-1);
    record.gone = null;
    record.sessions.set(via, {
      comeMs: nowMs,
      acked: 0,
      report: before?.report ?? null,
      fresh: false,
      overdue: false,
    });
    this.#nodes.set(node, record);
  }

  /** Returns nodes that are remembered no more. */
  gone(node: string, via: string, nowMs: number): string[] {
    const record = this.#nodes.get(node);
    const last = record?.sessions.get(via);
    if (record === undefined || last === undefined) return [];
    record.sessions.delete(via);
    if (record.sessions.size === 0) record.gone = { sinceMs: nowMs, last };
    const gone = [...this.#nodes].filter((one) => one[1].gone !== null);
    gone.sort(([, left], [, right]) => (left.gone?.sinceMs ?? 0) - (right.gone?.sinceMs ?? 0));
    const forgotten = gone.slice(0, -maxGone).map(([name]) => name);
    for (const name of forgotten) this.#nodes.delete(name);
    return forgotten;
  }

  acked(node: string, via: string, generation: number): void {
    const session = this.#nodes.get(node)?.sessions.get(via);
    if (session !== undefined) session.acked = generation;
  }

  report(node: string, via: string, workloads: ReadonlyMap<string, boolean>): void {
    const session = this.#nodes.get(node)?.sessions.get(via);
    if (session === undefined) return;
    session.report = workloads;
    session.fresh = true;
  }

  replicaCame(replica: string): void {
    this.#replicas.set(replica, { goneSinceMs: null, acked: 0 });
  }

  replicaApplied(replica: string, generation: number): void {
    const record = this.#replicas.get(replica);
    if (record !== undefined) record.acked = generation;
  }

  /** Its nodes are gone with it until another brings them. */
  replicaGone(replica: string, nowMs: number): void {
    const record = this.#replicas.get(replica);
    if (record !== undefined) record.goneSinceMs ??= nowMs;
    for (const node of this.#nodes.keys()) this.gone(node, replica, nowMs);
    for (const [name, { goneSinceMs }] of this.#replicas) {
      if (goneSinceMs !== null && nowMs - goneSinceMs >= patienceMs) this.#replicas.delete(name);
    }
  }

  /** What the node said of a workload last; undefined: nothing yet. */
  readiness(node: string, uid: string, nowMs: number): boolean | undefined {
    const record = this.#nodes.get(node);
    if (record === undefined) return undefined;
    if (record.gone !== null)
      return record.gone.last.report === null ? undefined : isReady(record.gone.last, uid);
    const sessions = [...record.sessions.values()];
    if (sessions.some(({ fresh, comeMs }) => !fresh && nowMs - comeMs >= reportDueMs)) return false;
    const reported = sessions.filter(({ report }) => report !== null);
    return reported.length === 0 ? undefined : reported.every((session) => isReady(session, uid));
  }

  /** Nodes whose report has not come in time, each told once; `expected`: others have time left. */
  reportsDue(nowMs: number): { readonly overdue: readonly string[]; readonly expected: boolean } {
    const overdue: string[] = [];
    let expected = false;
    for (const [node, { sessions }] of this.#nodes) {
      for (const session of sessions.values()) {
        if (session.fresh || session.overdue) continue;
        session.overdue = nowMs - session.comeMs >= reportDueMs;
        if (session.overdue) overdue.push(node);
        else expected = true;
      }
    }
    return { overdue, expected };
  }

  /** The newest generation that every node and replica that counts has in force; infinite where none counts. */
  ackedByAll(nowMs: number): number {
    let least = Number.POSITIVE_INFINITY;
    const waitsFor = (goneSinceMs: number | null) => goneSinceMs === null || nowMs - goneSinceMs < patienceMs;
    for (const { sessions, gone } of this.#nodes.values()) {
      for (const { acked } of sessions.values()) least = Math.min(least, acked);
      if (gone !== null && waitsFor(gone.sinceMs)) least = Math.min(least, gone.last.acked);
    }
    for (const { acked, goneSinceMs } of this.#replicas.values()) {
      if (waitsFor(goneSinceMs)) least = Math.min(least, acked);
    }
    return least;
  }
}

function isReady({ report }: NodeSession, uid: string): boolean {
  return report?.get(uid) ?? false;
}
