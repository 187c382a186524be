/** A workload whose listeners this worker holds. */

export interface ServedWorkload {
  readonly handle: number;
  readonly uid: string;
  /** Its place in lists by workload: from 0, and used again once it has gone. */
  readonly place: number;
  /** Number of its metrics label, for the counts of seen connections; follows the snapshot. */
  labelId: number;
  /** The engine holds an identity of it that is in force. */
  identified: boolean;
}
