// Generated from proto/weft/v1/identity.proto by scripts/generate-proto.mjs; do not edit.

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { IssueNodeRequest as _weft_v1_IssueNodeRequest, IssueNodeRequest__Output as _weft_v1_IssueNodeRequest__Output } from '../../weft/v1/IssueNodeRequest.js';
import type { IssueRequest as _weft_v1_IssueRequest, IssueRequest__Output as _weft_v1_IssueRequest__Output } from '../../weft/v1/IssueRequest.js';
import type { IssueResponse as _weft_v1_IssueResponse, IssueResponse__Output as _weft_v1_IssueResponse__Output } from '../../weft/v1/IssueResponse.js';
import type { TrustBundle as _weft_v1_TrustBundle, TrustBundle__Output as _weft_v1_TrustBundle__Output } from '../../weft/v1/TrustBundle.js';
import type { WatchBundleRequest as _weft_v1_WatchBundleRequest, WatchBundleRequest__Output as _weft_v1_WatchBundleRequest__Output } from '../../weft/v1/WatchBundleRequest.js';

/**
 * Identities of the workloads of one node: X.509 SVIDs (SPIFFE X509-SVID).
 */
export interface IdentityServiceClient extends grpc.Client {
  /**
   * Signs a request for a workload that runs on the asking node now. A refusal is a gRPC status whose trailer
   * `weft-reason` names it as the registry does.
   */
  Issue(argument: _weft_v1_IssueRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_weft_v1_IssueResponse__Output>): grpc.ClientUnaryCall;
  Issue(argument: _weft_v1_IssueRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_weft_v1_IssueResponse__Output>): grpc.ClientUnaryCall;
  Issue(argument: _weft_v1_IssueRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_weft_v1_IssueResponse__Output>): grpc.ClientUnaryCall;
  Issue(argument: _weft_v1_IssueRequest, callback: grpc.requestCallback<_weft_v1_IssueResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Signs a request for a workload that runs on the asking node now. A refusal is a gRPC status whose trailer
   * `weft-reason` names it as the registry does.
   */
  issue(argument: _weft_v1_IssueRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_weft_v1_IssueResponse__Output>): grpc.ClientUnaryCall;
  issue(argument: _weft_v1_IssueRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_weft_v1_IssueResponse__Output>): grpc.ClientUnaryCall;
  issue(argument: _weft_v1_IssueRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_weft_v1_IssueResponse__Output>): grpc.ClientUnaryCall;
  issue(argument: _weft_v1_IssueRequest, callback: grpc.requestCallback<_weft_v1_IssueResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * Signs a request for a node itself: with a token while the connection proves no node yet (TLS without a client
   * certificate), without one to replace the certificate that it proves. Every other call needs that certificate.
   */
  IssueNode(argument: _weft_v1_IssueNodeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_weft_v1_IssueResponse__Output>): grpc.ClientUnaryCall;
  IssueNode(argument: _weft_v1_IssueNodeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_weft_v1_IssueResponse__Output>): grpc.ClientUnaryCall;
  IssueNode(argument: _weft_v1_IssueNodeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_weft_v1_IssueResponse__Output>): grpc.ClientUnaryCall;
  IssueNode(argument: _weft_v1_IssueNodeRequest, callback: grpc.requestCallback<_weft_v1_IssueResponse__Output>): grpc.ClientUnaryCall;
  /**
   * Signs a request for a node itself: with a token while the connection proves no node yet (TLS without a client
   * certificate), without one to replace the certificate that it proves. Every other call needs that certificate.
   */
  issueNode(argument: _weft_v1_IssueNodeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_weft_v1_IssueResponse__Output>): grpc.ClientUnaryCall;
  issueNode(argument: _weft_v1_IssueNodeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_weft_v1_IssueResponse__Output>): grpc.ClientUnaryCall;
  issueNode(argument: _weft_v1_IssueNodeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_weft_v1_IssueResponse__Output>): grpc.ClientUnaryCall;
  issueNode(argument: _weft_v1_IssueNodeRequest, callback: grpc.requestCallback<_weft_v1_IssueResponse__Output>): grpc.ClientUnaryCall;
  
  /**
   * The roots to trust: at once what is in force, then each change. Before a new root signs, it has been sent here
   * for a while; a root that no longer signs stays for the life of what it signed.
   */
  WatchBundle(argument: _weft_v1_WatchBundleRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_weft_v1_TrustBundle__Output>;
  WatchBundle(argument: _weft_v1_WatchBundleRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_weft_v1_TrustBundle__Output>;
  /**
   * The roots to trust: at once what is in force, then each change. Before a new root signs, it has been sent here
   * for a while; a root that no longer signs stays for the life of what it signed.
   */
  watchBundle(argument: _weft_v1_WatchBundleRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_weft_v1_TrustBundle__Output>;
  watchBundle(argument: _weft_v1_WatchBundleRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_weft_v1_TrustBundle__Output>;
  
}

/**
 * Identities of the workloads of one node: X.509 SVIDs (SPIFFE X509-SVID).
 */
export interface IdentityServiceHandlers extends grpc.UntypedServiceImplementation {
  /**
   * Signs a request for a workload that runs on the asking node now. A refusal is a gRPC status whose trailer
   * `weft-reason` names it as the registry does.
   */
  Issue: grpc.handleUnaryCall<_weft_v1_IssueRequest__Output, _weft_v1_IssueResponse>;
  
  /**
   * Signs a request for a node itself: with a token while the connection proves no node yet (TLS without a client
   * certificate), without one to replace the certificate that it proves. Every other call needs that certificate.
   */
  IssueNode: grpc.handleUnaryCall<_weft_v1_IssueNodeRequest__Output, _weft_v1_IssueResponse>;
  
  /**
   * The roots to trust: at once what is in force, then each change. Before a new root signs, it has been sent here
   * for a while; a root that no longer signs stays for the life of what it signed.
   */
  WatchBundle: grpc.handleServerStreamingCall<_weft_v1_WatchBundleRequest__Output, _weft_v1_TrustBundle>;
  
}

export interface IdentityServiceDefinition extends grpc.ServiceDefinition {
  Issue: MethodDefinition<_weft_v1_IssueRequest, _weft_v1_IssueResponse, _weft_v1_IssueRequest__Output, _weft_v1_IssueResponse__Output>
  IssueNode: MethodDefinition<_weft_v1_IssueNodeRequest, _weft_v1_IssueResponse, _weft_v1_IssueNodeRequest__Output, _weft_v1_IssueResponse__Output>
  WatchBundle: MethodDefinition<_weft_v1_WatchBundleRequest, _weft_v1_TrustBundle, _weft_v1_WatchBundleRequest__Output, _weft_v1_TrustBundle__Output>
}
