// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.

import type { ResourceVersion as _weft_v1_ResourceVersion, ResourceVersion__Output as _weft_v1_ResourceVersion__Output } from '../../weft/v1/ResourceVersion.js';

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
}
