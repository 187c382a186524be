/** A workload whose listeners this worker holds. */

export interface ServedWorkload {
  readonly handle: number;
  readonly uid: string;
  /** Number of its metrics label, for the counts of seen connections; follows the snapshot. */
  labelId: number;
  /** The engine holds an identity of it that is in force. */
  identified: boolean;
}
