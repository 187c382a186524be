// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.

import type { PolicyTarget as _weft_v1_PolicyTarget, PolicyTarget__Output as _weft_v1_PolicyTarget__Output } from '../../weft/v1/PolicyTarget.js';
import type { PolicyRule as _weft_v1_PolicyRule, PolicyRule__Output as _weft_v1_PolicyRule__Output } from '../../weft/v1/PolicyRule.js';

export interface AuthorizationPolicy {
  'namespace'?: (string);
  'name'?: (string);
  'targets'?: (_weft_v1_PolicyTarget)[];
  /**
   * ALLOW | DENY
   */
  'action'?: (string);
  /**
   * Enforce | Audit
   */
  'mode'?: (string);
  'requireAuthenticated'?: (boolean);
  'rules'?: (_weft_v1_PolicyRule)[];
  'broken'?: (boolean);
}

export interface AuthorizationPolicy__Output {
  'namespace': (string);
  'name': (string);
  'targets': (_weft_v1_PolicyTarget__Output)[];
  /**
   * ALLOW | DENY
   */
  'action': (string);
  /**
   * Enforce | Audit
   */
  'mode': (string);
  'requireAuthenticated': (boolean);
  'rules': (_weft_v1_PolicyRule__Output)[];
  'broken': (boolean);
}
