// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.

import type { ResourceVersion as _weft_v1_ResourceVersion, ResourceVersion__Output as _weft_v1_ResourceVersion__Output } from '../../weft/v1/ResourceVersion.js';
import type { WorkloadTransport as _weft_v1_WorkloadTransport, WorkloadTransport__Output as _weft_v1_WorkloadTransport__Output } from '../../weft/v1/WorkloadTransport.js';
import type { Detail as _weft_v1_Detail, Detail__Output as _weft_v1_Detail__Output } from '../../weft/v1/Detail.js';

export interface Hello {
  /**
   * Version of this contract that the agent speaks; now 1.
   */
  'protocol'?: (number);
  'node'?: (string);
  'agentVersion'?: (string);
  /**
   * What the agent still holds from before, so that only differences travel.
   */
  'held'?: (_weft_v1_ResourceVersion)[];
  /**
   * Workloads that the agent holds in another phase than plaintext: a controller that has just started goes on from
   * there, where it knows nothing else.
   */
  'transports'?: (_weft_v1_WorkloadTransport)[];
  /**
   * The agent understands WorkloadIndex and asks for details: without it the controller sends everything.
   */
  'scoped'?: (boolean);
  /**
   * Details that it wants beside those of its own workloads, as after so many WantChanges.
   */
  'wants'?: (_weft_v1_Detail)[];
}

export interface Hello__Output {
  /**
   * Version of this contract that the agent speaks; now 1.
   */
  'protocol': (number);
  'node': (string);
  'agentVersion': (string);
  /**
   * What the agent still holds from before, so that only differences travel.
   */
  'held': (_weft_v1_ResourceVersion__Output)[];
  /**
   * Workloads that the agent holds in another phase than plaintext: a controller that has just started goes on from
   * there, where it knows nothing else.
   */
  'transports': (_weft_v1_WorkloadTransport__Output)[];
  /**
   * The agent understands WorkloadIndex and asks for details: without it the controller sends everything.
   */
  'scoped': (boolean);
  /**
   * Details that it wants beside those of its own workloads, as after so many WantChanges.
   */
  'wants': (_weft_v1_Detail__Output)[];
}
