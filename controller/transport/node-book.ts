/** What the nodes have said: what they have in force, and how their own workloads stand. */

/** How long others wait for a node that is gone, and for one that does not acknowledge before a workload is released. */
export const patienceMs = 30_000;
/** A node that has come back says how its workloads stand within this time; until then they are as they were. */
export const reportDueMs = 10_000;
/** Nodes that went away are remembered up to so many. */
const maxGone = 1000;

interface NodeRecord {
  /** null while it is connected. */
  goneSinceMs: number | null;
  comeMs: number;
  acked: number;
  /** By uid, true: captured and able to prove itself. null before the first report. */
  report: ReadonlyMap<string, boolean> | null;
  /** The present stream has brought a report. */
  fresh: boolean;
}

export class NodeBook {
  readonly #nodes = new Map<string, NodeRecord>();

  get connected(): number {
    return [...this.#nodes.values()].filter(({ goneSinceMs }) => goneSinceMs === null).length;
  }

  has(node: string): boolean {
    return this.#nodes.has(node);
  }

  come(node: string, nowMs: number): void {
    const report = this.#nodes.get(node)?.report ?? null;
    this.#nodes.set(node, { goneSinceMs: null, comeMs: nowMs, acked: 0, report, fresh: false });
  }

  gone(node: string, nowMs: number): void {
    const record = this.#nodes.get(node);
    if (record === undefined) return;
    record.goneSinceMs ??= nowMs;
    const gone = [...this.#nodes].filter(([, { goneSinceMs }]) => goneSinceMs !== null);
    gone.sort(([, left], [, right]) => (left.goneSinceMs ?? 0) - (right.goneSinceMs ?? 0));
    for (const [name] of gone.slice(0, -maxGone)) this.#nodes.delete(name);
  }

  acked(node: string, version: number): void {
    const record = this.#nodes.get(node);
    if (record !== undefined) record.acked = version;
  }

  report(node: string, workloads: ReadonlyMap<string, boolean>): void {
    const record = this.#nodes.get(node);
    if (record === undefined) return;
    record.report = workloads;
    record.fresh = true;
  }

  /** What the node said of a workload last; undefined: nothing yet. */
  readiness(node: string, uid: string, nowMs: number): boolean | undefined {
    const record = this.#nodes.get(node);
    if (record === undefined) return undefined;
    const overdue = !record.fresh && record.goneSinceMs === null && nowMs - record.comeMs >= reportDueMs;
    if (overdue) return false;
    return record.report === null ? undefined : (record.report.get(uid) ?? false);
  }

  /** A node that is here has not reported yet. */
  get reportsDue(): boolean {
    return [...this.#nodes.values()].some(({ fresh, goneSinceMs }) => !fresh && goneSinceMs === null);
  }

  /** The newest version that every node that counts has in force; infinite where none counts. */
  ackedByAll(nowMs: number): number {
    let least = Number.POSITIVE_INFINITY;
    for (const { acked, goneSinceMs } of this.#nodes.values()) {
      if (goneSinceMs === null || nowMs - goneSinceMs < patienceMs) least = Math.min(least, acked);
    }
    return least;
  }
}
