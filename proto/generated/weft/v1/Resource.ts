// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.

import type { Mesh as _weft_v1_Mesh, Mesh__Output as _weft_v1_Mesh__Output } from '../../weft/v1/Mesh.js';
import type { Workload as _weft_v1_Workload, Workload__Output as _weft_v1_Workload__Output } from '../../weft/v1/Workload.js';
import type { Service as _weft_v1_Service, Service__Output as _weft_v1_Service__Output } from '../../weft/v1/Service.js';
import type { EndpointSet as _weft_v1_EndpointSet, EndpointSet__Output as _weft_v1_EndpointSet__Output } from '../../weft/v1/EndpointSet.js';
import type { HttpRoute as _weft_v1_HttpRoute, HttpRoute__Output as _weft_v1_HttpRoute__Output } from '../../weft/v1/HttpRoute.js';
import type { AuthorizationPolicy as _weft_v1_AuthorizationPolicy, AuthorizationPolicy__Output as _weft_v1_AuthorizationPolicy__Output } from '../../weft/v1/AuthorizationPolicy.js';
import type { WorkloadIndex as _weft_v1_WorkloadIndex, WorkloadIndex__Output as _weft_v1_WorkloadIndex__Output } from '../../weft/v1/WorkloadIndex.js';

export interface Resource {
  /**
   * workload: its uid; mesh: "mesh"; workload index: its own; all others: namespace/name.
   */
  'name'?: (string);
  'version'?: (string);
  'ownerNamespace'?: (string);
  'mesh'?: (_weft_v1_Mesh | null);
  'workload'?: (_weft_v1_Workload | null);
  'service'?: (_weft_v1_Service | null);
  'endpoints'?: (_weft_v1_EndpointSet | null);
  'httpRoute'?: (_weft_v1_HttpRoute | null);
  'authorizationPolicy'?: (_weft_v1_AuthorizationPolicy | null);
  /**
   * A GRPCRoute in the same form.
   */
  'grpcRoute'?: (_weft_v1_HttpRoute | null);
  'workloadIndex'?: (_weft_v1_WorkloadIndex | null);
  'body'?: "mesh"|"workload"|"service"|"endpoints"|"httpRoute"|"authorizationPolicy"|"grpcRoute"|"workloadIndex";
}

export interface Resource__Output {
  /**
   * workload: its uid; mesh: "mesh"; workload index: its own; all others: namespace/name.
   */
  'name': (string);
  'version': (string);
  'ownerNamespace': (string);
  'mesh'?: (_weft_v1_Mesh__Output | null);
  'workload'?: (_weft_v1_Workload__Output | null);
  'service'?: (_weft_v1_Service__Output | null);
  'endpoints'?: (_weft_v1_EndpointSet__Output | null);
  'httpRoute'?: (_weft_v1_HttpRoute__Output | null);
  'authorizationPolicy'?: (_weft_v1_AuthorizationPolicy__Output | null);
  /**
   * A GRPCRoute in the same form.
   */
  'grpcRoute'?: (_weft_v1_HttpRoute__Output | null);
  'workloadIndex'?: (_weft_v1_WorkloadIndex__Output | null);
  'body'?: "mesh"|"workload"|"service"|"endpoints"|"httpRoute"|"authorizationPolicy"|"grpcRoute"|"workloadIndex";
}
