// Generated from proto/weft/v1/replica.proto by scripts/generate-proto.mjs; do not edit.

import type { PhaseTable as _weft_v1_PhaseTable, PhaseTable__Output as _weft_v1_PhaseTable__Output } from '../../weft/v1/PhaseTable.js';
import type { NodeCome as _weft_v1_NodeCome, NodeCome__Output as _weft_v1_NodeCome__Output } from '../../weft/v1/NodeCome.js';
import type { NodeGone as _weft_v1_NodeGone, NodeGone__Output as _weft_v1_NodeGone__Output } from '../../weft/v1/NodeGone.js';
import type { NodeAcked as _weft_v1_NodeAcked, NodeAcked__Output as _weft_v1_NodeAcked__Output } from '../../weft/v1/NodeAcked.js';
import type { NodeReported as _weft_v1_NodeReported, NodeReported__Output as _weft_v1_NodeReported__Output } from '../../weft/v1/NodeReported.js';
import type { NodeStanding as _weft_v1_NodeStanding, NodeStanding__Output as _weft_v1_NodeStanding__Output } from '../../weft/v1/NodeStanding.js';
import type { Long } from '@grpc/proto-loader';

export interface ReplicaMessage {
  /**
   * First, once: the phases that the replica holds.
   */
  'hello'?: (_weft_v1_PhaseTable | null);
  /**
   * An agent's stream has begun, or goes on after hello.
   */
  'come'?: (_weft_v1_NodeCome | null);
  'gone'?: (_weft_v1_NodeGone | null);
  'acked'?: (_weft_v1_NodeAcked | null);
  'reported'?: (_weft_v1_NodeReported | null);
  /**
   * The replica itself publishes everything up to this generation.
   */
  'applied'?: (number | string | Long);
  /**
   * How a node stands, for statuses; sent when it changes.
   */
  'standing'?: (_weft_v1_NodeStanding | null);
  'message'?: "hello"|"come"|"gone"|"acked"|"reported"|"applied"|"standing";
}

export interface ReplicaMessage__Output {
  /**
   * First, once: the phases that the replica holds.
   */
  'hello'?: (_weft_v1_PhaseTable__Output | null);
  /**
   * An agent's stream has begun, or goes on after hello.
   */
  'come'?: (_weft_v1_NodeCome__Output | null);
  'gone'?: (_weft_v1_NodeGone__Output | null);
  'acked'?: (_weft_v1_NodeAcked__Output | null);
  'reported'?: (_weft_v1_NodeReported__Output | null);
  /**
   * The replica itself publishes everything up to this generation.
   */
  'applied'?: (number);
  /**
   * How a node stands, for statuses; sent when it changes.
   */
  'standing'?: (_weft_v1_NodeStanding__Output | null);
  'message'?: "hello"|"come"|"gone"|"acked"|"reported"|"applied"|"standing";
}
