// Generated from proto/weft/v1/replica.proto by scripts/generate-proto.mjs; do not edit.
import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { Ack as _weft_v1_Ack, Ack__Output as _weft_v1_Ack__Output } from './weft/v1/Ack.js';
import type { AddressRange as _weft_v1_AddressRange, AddressRange__Output as _weft_v1_AddressRange__Output } from './weft/v1/AddressRange.js';
import type { AgentMessage as _weft_v1_AgentMessage, AgentMessage__Output as _weft_v1_AgentMessage__Output } from './weft/v1/AgentMessage.js';
import type { AuthorizationPolicy as _weft_v1_AuthorizationPolicy, AuthorizationPolicy__Output as _weft_v1_AuthorizationPolicy__Output } from './weft/v1/AuthorizationPolicy.js';
import type { Backend as _weft_v1_Backend, Backend__Output as _weft_v1_Backend__Output } from './weft/v1/Backend.js';
import type { Capture as _weft_v1_Capture, Capture__Output as _weft_v1_Capture__Output } from './weft/v1/Capture.js';
import type { ConfigServiceClient as _weft_v1_ConfigServiceClient, ConfigServiceDefinition as _weft_v1_ConfigServiceDefinition } from './weft/v1/ConfigService.js';
import type { Delta as _weft_v1_Delta, Delta__Output as _weft_v1_Delta__Output } from './weft/v1/Delta.js';
import type { Detail as _weft_v1_Detail, Detail__Output as _weft_v1_Detail__Output } from './weft/v1/Detail.js';
import type { Endpoint as _weft_v1_Endpoint, Endpoint__Output as _weft_v1_Endpoint__Output } from './weft/v1/Endpoint.js';
import type { EndpointSet as _weft_v1_EndpointSet, EndpointSet__Output as _weft_v1_EndpointSet__Output } from './weft/v1/EndpointSet.js';
import type { HeaderEdits as _weft_v1_HeaderEdits, HeaderEdits__Output as _weft_v1_HeaderEdits__Output } from './weft/v1/HeaderEdits.js';
import type { HeaderGlobs as _weft_v1_HeaderGlobs, HeaderGlobs__Output as _weft_v1_HeaderGlobs__Output } from './weft/v1/HeaderGlobs.js';
import type { HeaderValue as _weft_v1_HeaderValue, HeaderValue__Output as _weft_v1_HeaderValue__Output } from './weft/v1/HeaderValue.js';
import type { Hello as _weft_v1_Hello, Hello__Output as _weft_v1_Hello__Output } from './weft/v1/Hello.js';
import type { HolderMessage as _weft_v1_HolderMessage, HolderMessage__Output as _weft_v1_HolderMessage__Output } from './weft/v1/HolderMessage.js';
import type { HttpAttributes as _weft_v1_HttpAttributes, HttpAttributes__Output as _weft_v1_HttpAttributes__Output } from './weft/v1/HttpAttributes.js';
import type { HttpFilter as _weft_v1_HttpFilter, HttpFilter__Output as _weft_v1_HttpFilter__Output } from './weft/v1/HttpFilter.js';
import type { HttpRoute as _weft_v1_HttpRoute, HttpRoute__Output as _weft_v1_HttpRoute__Output } from './weft/v1/HttpRoute.js';
import type { HttpRouteMatch as _weft_v1_HttpRouteMatch, HttpRouteMatch__Output as _weft_v1_HttpRouteMatch__Output } from './weft/v1/HttpRouteMatch.js';
import type { HttpRouteRule as _weft_v1_HttpRouteRule, HttpRouteRule__Output as _weft_v1_HttpRouteRule__Output } from './weft/v1/HttpRouteRule.js';
import type { IndexedWorkload as _weft_v1_IndexedWorkload, IndexedWorkload__Output as _weft_v1_IndexedWorkload__Output } from './weft/v1/IndexedWorkload.js';
import type { LabelSelector as _weft_v1_LabelSelector, LabelSelector__Output as _weft_v1_LabelSelector__Output } from './weft/v1/LabelSelector.js';
import type { Mesh as _weft_v1_Mesh, Mesh__Output as _weft_v1_Mesh__Output } from './weft/v1/Mesh.js';
import type { NamedMatch as _weft_v1_NamedMatch, NamedMatch__Output as _weft_v1_NamedMatch__Output } from './weft/v1/NamedMatch.js';
import type { NodeAcked as _weft_v1_NodeAcked, NodeAcked__Output as _weft_v1_NodeAcked__Output } from './weft/v1/NodeAcked.js';
import type { NodeCome as _weft_v1_NodeCome, NodeCome__Output as _weft_v1_NodeCome__Output } from './weft/v1/NodeCome.js';
import type { NodeGone as _weft_v1_NodeGone, NodeGone__Output as _weft_v1_NodeGone__Output } from './weft/v1/NodeGone.js';
import type { NodeReport as _weft_v1_NodeReport, NodeReport__Output as _weft_v1_NodeReport__Output } from './weft/v1/NodeReport.js';
import type { NodeReported as _weft_v1_NodeReported, NodeReported__Output as _weft_v1_NodeReported__Output } from './weft/v1/NodeReported.js';
import type { NodeStanding as _weft_v1_NodeStanding, NodeStanding__Output as _weft_v1_NodeStanding__Output } from './weft/v1/NodeStanding.js';
import type { PathEdit as _weft_v1_PathEdit, PathEdit__Output as _weft_v1_PathEdit__Output } from './weft/v1/PathEdit.js';
import type { PhaseEntry as _weft_v1_PhaseEntry, PhaseEntry__Output as _weft_v1_PhaseEntry__Output } from './weft/v1/PhaseEntry.js';
import type { PhaseTable as _weft_v1_PhaseTable, PhaseTable__Output as _weft_v1_PhaseTable__Output } from './weft/v1/PhaseTable.js';
import type { PolicyRule as _weft_v1_PolicyRule, PolicyRule__Output as _weft_v1_PolicyRule__Output } from './weft/v1/PolicyRule.js';
import type { PolicyTarget as _weft_v1_PolicyTarget, PolicyTarget__Output as _weft_v1_PolicyTarget__Output } from './weft/v1/PolicyTarget.js';
import type { Problem as _weft_v1_Problem, Problem__Output as _weft_v1_Problem__Output } from './weft/v1/Problem.js';
import type { Redirect as _weft_v1_Redirect, Redirect__Output as _weft_v1_Redirect__Output } from './weft/v1/Redirect.js';
import type { Refusal as _weft_v1_Refusal, Refusal__Output as _weft_v1_Refusal__Output } from './weft/v1/Refusal.js';
import type { ReplicaMessage as _weft_v1_ReplicaMessage, ReplicaMessage__Output as _weft_v1_ReplicaMessage__Output } from './weft/v1/ReplicaMessage.js';
import type { ReplicaServiceClient as _weft_v1_ReplicaServiceClient, ReplicaServiceDefinition as _weft_v1_ReplicaServiceDefinition } from './weft/v1/ReplicaService.js';
import type { Resource as _weft_v1_Resource, Resource__Output as _weft_v1_Resource__Output } from './weft/v1/Resource.js';
import type { ResourceVersion as _weft_v1_ResourceVersion, ResourceVersion__Output as _weft_v1_ResourceVersion__Output } from './weft/v1/ResourceVersion.js';
import type { Retry as _weft_v1_Retry, Retry__Output as _weft_v1_Retry__Output } from './weft/v1/Retry.js';
import type { RouteParent as _weft_v1_RouteParent, RouteParent__Output as _weft_v1_RouteParent__Output } from './weft/v1/RouteParent.js';
import type { Service as _weft_v1_Service, Service__Output as _weft_v1_Service__Output } from './weft/v1/Service.js';
import type { ServiceRef as _weft_v1_ServiceRef, ServiceRef__Output as _weft_v1_ServiceRef__Output } from './weft/v1/ServiceRef.js';
import type { SourceMatch as _weft_v1_SourceMatch, SourceMatch__Output as _weft_v1_SourceMatch__Output } from './weft/v1/SourceMatch.js';
import type { UrlRewrite as _weft_v1_UrlRewrite, UrlRewrite__Output as _weft_v1_UrlRewrite__Output } from './weft/v1/UrlRewrite.js';
import type { WantChange as _weft_v1_WantChange, WantChange__Output as _weft_v1_WantChange__Output } from './weft/v1/WantChange.js';
import type { Workload as _weft_v1_Workload, Workload__Output as _weft_v1_Workload__Output } from './weft/v1/Workload.js';
import type { WorkloadIndex as _weft_v1_WorkloadIndex, WorkloadIndex__Output as _weft_v1_WorkloadIndex__Output } from './weft/v1/WorkloadIndex.js';
import type { WorkloadLimits as _weft_v1_WorkloadLimits, WorkloadLimits__Output as _weft_v1_WorkloadLimits__Output } from './weft/v1/WorkloadLimits.js';
import type { WorkloadMtls as _weft_v1_WorkloadMtls, WorkloadMtls__Output as _weft_v1_WorkloadMtls__Output } from './weft/v1/WorkloadMtls.js';
import type { WorkloadPort as _weft_v1_WorkloadPort, WorkloadPort__Output as _weft_v1_WorkloadPort__Output } from './weft/v1/WorkloadPort.js';
import type { WorkloadReadiness as _weft_v1_WorkloadReadiness, WorkloadReadiness__Output as _weft_v1_WorkloadReadiness__Output } from './weft/v1/WorkloadReadiness.js';
import type { WorkloadTransport as _weft_v1_WorkloadTransport, WorkloadTransport__Output as _weft_v1_WorkloadTransport__Output } from './weft/v1/WorkloadTransport.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  weft: {
    v1: {
      Ack: MessageTypeDefinition<_weft_v1_Ack, _weft_v1_Ack__Output>
      AddressRange: MessageTypeDefinition<_weft_v1_AddressRange, _weft_v1_AddressRange__Output>
      AgentMessage: MessageTypeDefinition<_weft_v1_AgentMessage, _weft_v1_AgentMessage__Output>
      AuthorizationPolicy: MessageTypeDefinition<_weft_v1_AuthorizationPolicy, _weft_v1_AuthorizationPolicy__Output>
      Backend: MessageTypeDefinition<_weft_v1_Backend, _weft_v1_Backend__Output>
      Capture: MessageTypeDefinition<_weft_v1_Capture, _weft_v1_Capture__Output>
      /**
       * Configuration of one node, as a stream of per-resource deltas.
       */
      ConfigService: SubtypeConstructor<typeof grpc.Client, _weft_v1_ConfigServiceClient> & { service: _weft_v1_ConfigServiceDefinition }
      Delta: MessageTypeDefinition<_weft_v1_Delta, _weft_v1_Delta__Output>
      Detail: MessageTypeDefinition<_weft_v1_Detail, _weft_v1_Detail__Output>
      Endpoint: MessageTypeDefinition<_weft_v1_Endpoint, _weft_v1_Endpoint__Output>
      EndpointSet: MessageTypeDefinition<_weft_v1_EndpointSet, _weft_v1_EndpointSet__Output>
      HeaderEdits: MessageTypeDefinition<_weft_v1_HeaderEdits, _weft_v1_HeaderEdits__Output>
      HeaderGlobs: MessageTypeDefinition<_weft_v1_HeaderGlobs, _weft_v1_HeaderGlobs__Output>
      HeaderValue: MessageTypeDefinition<_weft_v1_HeaderValue, _weft_v1_HeaderValue__Output>
      Hello: MessageTypeDefinition<_weft_v1_Hello, _weft_v1_Hello__Output>
      HolderMessage: MessageTypeDefinition<_weft_v1_HolderMessage, _weft_v1_HolderMessage__Output>
      HttpAttributes: MessageTypeDefinition<_weft_v1_HttpAttributes, _weft_v1_HttpAttributes__Output>
      HttpFilter: MessageTypeDefinition<_weft_v1_HttpFilter, _weft_v1_HttpFilter__Output>
      HttpRoute: MessageTypeDefinition<_weft_v1_HttpRoute, _weft_v1_HttpRoute__Output>
      HttpRouteMatch: MessageTypeDefinition<_weft_v1_HttpRouteMatch, _weft_v1_HttpRouteMatch__Output>
      HttpRouteRule: MessageTypeDefinition<_weft_v1_HttpRouteRule, _weft_v1_HttpRouteRule__Output>
      IndexedWorkload: MessageTypeDefinition<_weft_v1_IndexedWorkload, _weft_v1_IndexedWorkload__Output>
      LabelSelector: MessageTypeDefinition<_weft_v1_LabelSelector, _weft_v1_LabelSelector__Output>
      Mesh: MessageTypeDefinition<_weft_v1_Mesh, _weft_v1_Mesh__Output>
      NamedMatch: MessageTypeDefinition<_weft_v1_NamedMatch, _weft_v1_NamedMatch__Output>
      NodeAcked: MessageTypeDefinition<_weft_v1_NodeAcked, _weft_v1_NodeAcked__Output>
      NodeCome: MessageTypeDefinition<_weft_v1_NodeCome, _weft_v1_NodeCome__Output>
      NodeGone: MessageTypeDefinition<_weft_v1_NodeGone, _weft_v1_NodeGone__Output>
      NodeReport: MessageTypeDefinition<_weft_v1_NodeReport, _weft_v1_NodeReport__Output>
      NodeReported: MessageTypeDefinition<_weft_v1_NodeReported, _weft_v1_NodeReported__Output>
      NodeStanding: MessageTypeDefinition<_weft_v1_NodeStanding, _weft_v1_NodeStanding__Output>
      PathEdit: MessageTypeDefinition<_weft_v1_PathEdit, _weft_v1_PathEdit__Output>
      PhaseEntry: MessageTypeDefinition<_weft_v1_PhaseEntry, _weft_v1_PhaseEntry__Output>
      PhaseTable: MessageTypeDefinition<_weft_v1_PhaseTable, _weft_v1_PhaseTable__Output>
      PolicyRule: MessageTypeDefinition<_weft_v1_PolicyRule, _weft_v1_PolicyRule__Output>
      PolicyTarget: MessageTypeDefinition<_weft_v1_PolicyTarget, _weft_v1_PolicyTarget__Output>
      Problem: MessageTypeDefinition<_weft_v1_Problem, _weft_v1_Problem__Output>
      Redirect: MessageTypeDefinition<_weft_v1_Redirect, _weft_v1_Redirect__Output>
      Refusal: MessageTypeDefinition<_weft_v1_Refusal, _weft_v1_Refusal__Output>
      ReplicaMessage: MessageTypeDefinition<_weft_v1_ReplicaMessage, _weft_v1_ReplicaMessage__Output>
      /**
       * On the port for nodes, for connections that prove to be a controller of the mesh.
       */
      ReplicaService: SubtypeConstructor<typeof grpc.Client, _weft_v1_ReplicaServiceClient> & { service: _weft_v1_ReplicaServiceDefinition }
      Resource: MessageTypeDefinition<_weft_v1_Resource, _weft_v1_Resource__Output>
      ResourceVersion: MessageTypeDefinition<_weft_v1_ResourceVersion, _weft_v1_ResourceVersion__Output>
      Retry: MessageTypeDefinition<_weft_v1_Retry, _weft_v1_Retry__Output>
      RouteParent: MessageTypeDefinition<_weft_v1_RouteParent, _weft_v1_RouteParent__Output>
      Service: MessageTypeDefinition<_weft_v1_Service, _weft_v1_Service__Output>
      ServiceRef: MessageTypeDefinition<_weft_v1_ServiceRef, _weft_v1_ServiceRef__Output>
      SourceMatch: MessageTypeDefinition<_weft_v1_SourceMatch, _weft_v1_SourceMatch__Output>
      UrlRewrite: MessageTypeDefinition<_weft_v1_UrlRewrite, _weft_v1_UrlRewrite__Output>
      WantChange: MessageTypeDefinition<_weft_v1_WantChange, _weft_v1_WantChange__Output>
      Workload: MessageTypeDefinition<_weft_v1_Workload, _weft_v1_Workload__Output>
      WorkloadIndex: MessageTypeDefinition<_weft_v1_WorkloadIndex, _weft_v1_WorkloadIndex__Output>
      WorkloadLimits: MessageTypeDefinition<_weft_v1_WorkloadLimits, _weft_v1_WorkloadLimits__Output>
      WorkloadMtls: MessageTypeDefinition<_weft_v1_WorkloadMtls, _weft_v1_WorkloadMtls__Output>
      WorkloadPort: MessageTypeDefinition<_weft_v1_WorkloadPort, _weft_v1_WorkloadPort__Output>
      WorkloadReadiness: MessageTypeDefinition<_weft_v1_WorkloadReadiness, _weft_v1_WorkloadReadiness__Output>
      WorkloadTransport: MessageTypeDefinition<_weft_v1_WorkloadTransport, _weft_v1_WorkloadTransport__Output>
    }
  }
}

