/** Who is calling, as a policy sees it. */
import { spiffeId, type Workload } from './workload.js';

export interface Source {
  /** Empty where the source is unknown or of another trust domain: then only rules for every source match. */
  readonly namespace: string;
  /** `namespace/name`, empty like the namespace. */
  readonly serviceAccount: string;
  /** Empty where unknown. */
  readonly spiffeId: string;
  /** Proven by mutual TLS; false: known by its address only. */
  readonly authenticated: boolean;
}

/** An address that belongs to no workload. */
export const unknownSource: Source = {
  namespace: '',
  serviceAccount: '',
  spiffeId: '',
  authenticated: false,
};

/** A workload as a source. */
export function sourceOf(
  workload: Pick<Workload, 'trustDomain' | 'namespace' | 'serviceAccount'>,
  authenticated: boolean,
): Source {
  return {
    namespace: workload.namespace,
    serviceAccount: `${workload.namespace}/${workload.serviceAccount}`,
    spiffeId: spiffeId(workload),
    authenticated,
  };
}
