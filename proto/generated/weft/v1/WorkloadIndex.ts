// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.

import type { IndexedWorkload as _weft_v1_IndexedWorkload, IndexedWorkload__Output as _weft_v1_IndexedWorkload__Output } from '../../weft/v1/IndexedWorkload.js';

/**
 * What every node knows of some of one node's workloads; details (Workload) count before it. A few dozen in one
 * resource, so that texts are shared and a change still costs little.
 */
export interface WorkloadIndex {
  'trustDomain'?: (string);
  'cluster'?: (string);
  'network'?: (string);
  'node'?: (string);
  /**
   * Texts that entries name by their place.
   */
  'texts'?: (string)[];
  'workloads'?: (_weft_v1_IndexedWorkload)[];
  /**
   * The controller does not know everything yet: what the agent holds under this name beside these stays.
   */
  'partial'?: (boolean);
}

/**
 * What every node knows of some of one node's workloads; details (Workload) count before it. A few dozen in one
 * resource, so that texts are shared and a change still costs little.
 */
export interface WorkloadIndex__Output {
  'trustDomain': (string);
  'cluster': (string);
  'network': (string);
  'node': (string);
  /**
   * Texts that entries name by their place.
   */
  'texts': (string)[];
  'workloads': (_weft_v1_IndexedWorkload__Output)[];
  /**
   * The controller does not know everything yet: what the agent holds under this name beside these stays.
   */
  'partial': (boolean);
}
