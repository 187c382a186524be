// Generated from proto/weft/v1/identity.proto by scripts/generate-proto.mjs; do not edit.
import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { IdentityServiceClient as _weft_v1_IdentityServiceClient, IdentityServiceDefinition as _weft_v1_IdentityServiceDefinition } from './weft/v1/IdentityService.js';
import type { IssueNodeRequest as _weft_v1_IssueNodeRequest, IssueNodeRequest__Output as _weft_v1_IssueNodeRequest__Output } from './weft/v1/IssueNodeRequest.js';
import type { IssueRequest as _weft_v1_IssueRequest, IssueRequest__Output as _weft_v1_IssueRequest__Output } from './weft/v1/IssueRequest.js';
import type { IssueResponse as _weft_v1_IssueResponse, IssueResponse__Output as _weft_v1_IssueResponse__Output } from './weft/v1/IssueResponse.js';
import type { TrustBundle as _weft_v1_TrustBundle, TrustBundle__Output as _weft_v1_TrustBundle__Output } from './weft/v1/TrustBundle.js';
import type { WatchBundleRequest as _weft_v1_WatchBundleRequest, WatchBundleRequest__Output as _weft_v1_WatchBundleRequest__Output } from './weft/v1/WatchBundleRequest.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  weft: {
    v1: {
      /**
       * Identities of the workloads of one node: X.509 SVIDs (SPIFFE X509-SVID).
       */
      IdentityService: SubtypeConstructor<typeof grpc.Client, _weft_v1_IdentityServiceClient> & { service: _weft_v1_IdentityServiceDefinition }
      IssueNodeRequest: MessageTypeDefinition<_weft_v1_IssueNodeRequest, _weft_v1_IssueNodeRequest__Output>
      IssueRequest: MessageTypeDefinition<_weft_v1_IssueRequest, _weft_v1_IssueRequest__Output>
      IssueResponse: MessageTypeDefinition<_weft_v1_IssueResponse, _weft_v1_IssueResponse__Output>
      TrustBundle: MessageTypeDefinition<_weft_v1_TrustBundle, _weft_v1_TrustBundle__Output>
      WatchBundleRequest: MessageTypeDefinition<_weft_v1_WatchBundleRequest, _weft_v1_WatchBundleRequest__Output>
    }
  }
}

