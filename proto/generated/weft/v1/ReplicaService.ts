// Generated from proto/weft/v1/replica.proto by scripts/generate-proto.mjs; do not edit.

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { HolderMessage as _weft_v1_HolderMessage, HolderMessage__Output as _weft_v1_HolderMessage__Output } from '../../weft/v1/HolderMessage.js';
import type { ReplicaMessage as _weft_v1_ReplicaMessage, ReplicaMessage__Output as _weft_v1_ReplicaMessage__Output } from '../../weft/v1/ReplicaMessage.js';

/**
 * On the port for nodes, for connections that prove to be a controller of the mesh.
 */
export interface ReplicaServiceClient extends grpc.Client {
  /**
   * Opened by each replica that does not hold the lease. Ends with UNAVAILABLE where the other end does not hold it either.
   */
  Relay(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_weft_v1_ReplicaMessage, _weft_v1_HolderMessage__Output>;
  Relay(options?: grpc.CallOptions): grpc.ClientDuplexStream<_weft_v1_ReplicaMessage, _weft_v1_HolderMessage__Output>;
  /**
   * Opened by each replica that does not hold the lease. Ends with UNAVAILABLE where the other end does not hold it either.
   */
  relay(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_weft_v1_ReplicaMessage, _weft_v1_HolderMessage__Output>;
  relay(options?: grpc.CallOptions): grpc.ClientDuplexStream<_weft_v1_ReplicaMessage, _weft_v1_HolderMessage__Output>;
  
}

/**
 * On the port for nodes, for connections that prove to be a controller of the mesh.
 */
export interface ReplicaServiceHandlers extends grpc.UntypedServiceImplementation {
  /**
   * Opened by each replica that does not hold the lease. Ends with UNAVAILABLE where the other end does not hold it either.
   */
  Relay: grpc.handleBidiStreamingCall<_weft_v1_ReplicaMessage__Output, _weft_v1_HolderMessage>;
  
}

export interface ReplicaServiceDefinition extends grpc.ServiceDefinition {
  Relay: MethodDefinition<_weft_v1_ReplicaMessage, _weft_v1_HolderMessage, _weft_v1_ReplicaMessage__Output, _weft_v1_HolderMessage__Output>
}
