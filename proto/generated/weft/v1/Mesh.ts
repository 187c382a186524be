// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.

import type { AddressRange as _weft_v1_AddressRange, AddressRange__Output as _weft_v1_AddressRange__Output } from '../../weft/v1/AddressRange.js';

export interface Mesh {
  'trustDomain'?: (string);
  'cluster'?: (string);
  'network'?: (string);
  'ranges'?: (_weft_v1_AddressRange)[];
  /**
   * Kubernetes namespaces whose pods join the mesh.
   */
  'enrolledNamespaces'?: (string)[];
}

export interface Mesh__Output {
  'trustDomain': (string);
  'cluster': (string);
  'network': (string);
  'ranges': (_weft_v1_AddressRange__Output)[];
  /**
   * Kubernetes namespaces whose pods join the mesh.
   */
  'enrolledNamespaces': (string)[];
}
