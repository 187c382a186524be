// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AgentMessage as _weft_v1_AgentMessage, AgentMessage__Output as _weft_v1_AgentMessage__Output } from '../../weft/v1/AgentMessage.js';
import type { Delta as _weft_v1_Delta, Delta__Output as _weft_v1_Delta__Output } from '../../weft/v1/Delta.js';

/**
 * Configuration of one node, as a stream of per-resource deltas.
 */
export interface ConfigServiceClient extends grpc.Client {
  /**
   * The agent opens with Hello, then acknowledges every Delta. The controller answers Hello with a first Delta
   * (complete = true) and goes on with further ones. Every delta, the first one too, names what is new or changed
   * in upserts and what is gone in removals; what Hello named and the first delta does not is still in force.
   * One delta is in flight at a time.
   */
  Stream(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_weft_v1_AgentMessage, _weft_v1_Delta__Output>;
  Stream(options?: grpc.CallOptions): grpc.ClientDuplexStream<_weft_v1_AgentMessage, _weft_v1_Delta__Output>;
  /**
   * The agent opens with Hello, then acknowledges every Delta. The controller answers Hello with a first Delta
   * (complete = true) and goes on with further ones. Every delta, the first one too, names what is new or changed
   * in upserts and what is gone in removals; what Hello named and the first delta does not is still in force.
   * One delta is in flight at a time.
   */
  stream(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_weft_v1_AgentMessage, _weft_v1_Delta__Output>;
  stream(options?: grpc.CallOptions): grpc.ClientDuplexStream<_weft_v1_AgentMessage, _weft_v1_Delta__Output>;
  
}

/**
 * Configuration of one node, as a stream of per-resource deltas.
 */
export interface ConfigServiceHandlers extends grpc.UntypedServiceImplementation {
  /**
   * The agent opens with Hello, then acknowledges every Delta. The controller answers Hello with a first Delta
   * (complete = true) and goes on with further ones. Every delta, the first one too, names what is new or changed
   * in upserts and what is gone in removals; what Hello named and the first delta does not is still in force.
   * One delta is in flight at a time.
   */
  Stream: grpc.handleBidiStreamingCall<_weft_v1_AgentMessage__Output, _weft_v1_Delta>;
  
}

export interface ConfigServiceDefinition extends grpc.ServiceDefinition {
  Stream: MethodDefinition<_weft_v1_AgentMessage, _weft_v1_Delta, _weft_v1_AgentMessage__Output, _weft_v1_Delta__Output>
}
