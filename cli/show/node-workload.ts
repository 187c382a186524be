/** A workload of a node, as the node's own proxy tells of it. */
import type { Workload } from '../../model/workload.js';

/** One of the proxy's /workloads. */
export interface NodeWorkload {
  readonly workload: Workload;
  /** null: it shall not be captured. */
  readonly enrolment: {
    readonly waitsFor: 'capture' | 'identity' | 'nothing';
    readonly refusal: string;
  } | null;
}

/** Why a wanted enrolment does not stand; empty where it does. */
export function describeWaiting(enrolment: NodeWorkload['enrolment'] | undefined): string {
  switch (enrolment?.waitsFor) {
    case undefined:
    case 'nothing':
      return '';
    case 'capture':
      return `capture has not enrolled it${enrolment?.refusal ? `: ${enrolment.refusal}` : ' yet'}`;
    case 'identity':
      return 'it waits for its certificate';
  }
}
