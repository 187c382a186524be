/** Parts of access-log lines that are kept with what they speak of. */
import type { WorkloadView } from '../../../model/snapshot.js';
import type { Source } from '../../../model/source.js';

/** What all lines of a connection say of its caller; kept with it until that changes. */
export interface LoggedParties extends FarEndHolder {
  readonly local: WorkloadView | null;
  readonly peer: WorkloadView | null;
  readonly identity: Source;
  /** Up to the destination's workload, which depends on the endpoint. */
  readonly start: string;
  /** Behind the destination's service. */
  readonly end: string;
}

/** What lines say of where something went; kept with the endpoint, or with the connection where there is none. */
export interface LoggedFarEnd {
  readonly view: WorkloadView | null;
  readonly service: string;
  readonly transport: number;
  readonly peer: string;
  /** The destination's workload and service, and the end of that object. */
  readonly destination: string;
  /** Transport, peer, endpoint. */
  readonly rest: string;
}

/** Keeps the far end of its last line. */
export interface FarEndHolder {
  farEnd: LoggedFarEnd | null;
}
