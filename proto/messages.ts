/**
 * The messages of proto/weft/v1/*.proto under short names. `…Message` is what a sender may write (all fields
 * optional), `Received…` what a receiver sees (every absent field has its zero value, absent messages are null).
 */
export type {
  AgentMessage,
  AgentMessage__Output as ReceivedAgentMessage,
} from './generated/weft/v1/AgentMessage.js';
export type {
  AuthorizationPolicy as PolicyMessage,
  AuthorizationPolicy__Output as ReceivedPolicy,
} from './generated/weft/v1/AuthorizationPolicy.js';
export type { ConfigServiceClient, ConfigServiceDefinition } from './generated/weft/v1/ConfigService.js';
export type { Delta as DeltaMessage, Delta__Output as ReceivedDelta } from './generated/weft/v1/Delta.js';
export type {
  Detail as DetailMessage,
  Detail__Output as ReceivedDetail,
} from './generated/weft/v1/Detail.js';
export type {
  EndpointSet as EndpointSetMessage,
  EndpointSet__Output as ReceivedEndpointSet,
} from './generated/weft/v1/EndpointSet.js';
export type { HeaderEdits__Output as ReceivedHeaderEdits } from './generated/weft/v1/HeaderEdits.js';
export type {
  HolderMessage as HolderWireMessage,
  HolderMessage__Output as ReceivedHolderMessage,
} from './generated/weft/v1/HolderMessage.js';
export type { HttpAttributes__Output as ReceivedHttpAttributes } from './generated/weft/v1/HttpAttributes.js';
export type {
  HttpFilter as HttpFilterMessage,
  HttpFilter__Output as ReceivedHttpFilter,
} from './generated/weft/v1/HttpFilter.js';
export type {
  HttpRoute as HttpRouteMessage,
  HttpRoute__Output as ReceivedHttpRoute,
} from './generated/weft/v1/HttpRoute.js';
export type {
  HttpRouteMatch as HttpRouteMatchMessage,
  HttpRouteMatch__Output as ReceivedHttpRouteMatch,
} from './generated/weft/v1/HttpRouteMatch.js';
export type {
  HttpRouteRule as HttpRouteRuleMessage,
  HttpRouteRule__Output as ReceivedHttpRouteRule,
} from './generated/weft/v1/HttpRouteRule.js';
export type {
  IdentityServiceClient,
  IdentityServiceDefinition,
  IdentityServiceHandlers,
} from './generated/weft/v1/IdentityService.js';
export type { IndexedWorkload as IndexedWorkloadMessage } from './generated/weft/v1/IndexedWorkload.js';
export type {
  IssueNodeRequest as IssueNodeRequestMessage,
  IssueNodeRequest__Output as ReceivedIssueNodeRequest,
} from './generated/weft/v1/IssueNodeRequest.js';
export type {
  IssueRequest as IssueRequestMessage,
  IssueRequest__Output as ReceivedIssueRequest,
} from './generated/weft/v1/IssueRequest.js';
export type {
  IssueResponse as IssueResponseMessage,
  IssueResponse__Output as ReceivedIssueResponse,
} from './generated/weft/v1/IssueResponse.js';
export type { Mesh as MeshMessage, Mesh__Output as ReceivedMesh } from './generated/weft/v1/Mesh.js';
export type {
  NamedMatch as NamedMatchMessage,
  NamedMatch__Output as ReceivedNamedMatch,
} from './generated/weft/v1/NamedMatch.js';
export type {
  NodeReport as NodeReportMessage,
  NodeReport__Output as ReceivedNodeReport,
} from './generated/weft/v1/NodeReport.js';
export type {
  NodeStanding as NodeStandingMessage,
  NodeStanding__Output as ReceivedNodeStanding,
} from './generated/weft/v1/NodeStanding.js';
export type {
  PathEdit as PathEditMessage,
  PathEdit__Output as ReceivedPathEdit,
} from './generated/weft/v1/PathEdit.js';
export type {
  PhaseTable as PhaseTableMessage,
  PhaseTable__Output as ReceivedPhaseTable,
} from './generated/weft/v1/PhaseTable.js';
export type { PolicyRule__Output as ReceivedPolicyRule } from './generated/weft/v1/PolicyRule.js';
export type { PolicyTarget__Output as ReceivedPolicyTarget } from './generated/weft/v1/PolicyTarget.js';
export type {
  Refusal as RefusalMessage,
  Refusal__Output as ReceivedRefusal,
} from './generated/weft/v1/Refusal.js';
export type {
  ReplicaMessage as ReplicaWireMessage,
  ReplicaMessage__Output as ReceivedReplicaMessage,
} from './generated/weft/v1/ReplicaMessage.js';
export type {
  ReplicaServiceClient,
  ReplicaServiceDefinition,
} from './generated/weft/v1/ReplicaService.js';
export type {
  Resource as ResourceMessage,
  Resource__Output as ReceivedResource,
} from './generated/weft/v1/Resource.js';
export type {
  ResourceVersion as ResourceVersionMessage,
  ResourceVersion__Output as ReceivedResourceVersion,
} from './generated/weft/v1/ResourceVersion.js';
export type {
  Service as ServiceMessage,
  Service__Output as ReceivedService,
} from './generated/weft/v1/Service.js';
export type { ServiceRef__Output as ReceivedServiceRef } from './generated/weft/v1/ServiceRef.js';
export type {
  TrustBundle as TrustBundleMessage,
  TrustBundle__Output as ReceivedTrustBundle,
} from './generated/weft/v1/TrustBundle.js';
export type { WantChange as WantChangeMessage } from './generated/weft/v1/WantChange.js';
export type { WatchBundleRequest__Output as ReceivedWatchBundleRequest } from './generated/weft/v1/WatchBundleRequest.js';
export type {
  Workload as WorkloadMessage,
  Workload__Output as ReceivedWorkload,
} from './generated/weft/v1/Workload.js';
export type {
  WorkloadIndex as WorkloadIndexMessage,
  WorkloadIndex__Output as ReceivedWorkloadIndex,
} from './generated/weft/v1/WorkloadIndex.js';
export type { WorkloadPort__Output as ReceivedWorkloadPort } from './generated/weft/v1/WorkloadPort.js';
export type {
  WorkloadTransport as WorkloadTransportMessage,
  WorkloadTransport__Output as ReceivedWorkloadTransport,
} from './generated/weft/v1/WorkloadTransport.js';
