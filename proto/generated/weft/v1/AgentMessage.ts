// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.

import type { Hello as _weft_v1_Hello, Hello__Output as _weft_v1_Hello__Output } from '../../weft/v1/Hello.js';
import type { Ack as _weft_v1_Ack, Ack__Output as _weft_v1_Ack__Output } from '../../weft/v1/Ack.js';
import type { NodeReport as _weft_v1_NodeReport, NodeReport__Output as _weft_v1_NodeReport__Output } from '../../weft/v1/NodeReport.js';

export interface AgentMessage {
  'hello'?: (_weft_v1_Hello | null);
  'ack'?: (_weft_v1_Ack | null);
  'report'?: (_weft_v1_NodeReport | null);
  'message'?: "hello"|"ack"|"report";
}

export interface AgentMessage__Output {
  'hello'?: (_weft_v1_Hello__Output | null);
  'ack'?: (_weft_v1_Ack__Output | null);
  'report'?: (_weft_v1_NodeReport__Output | null);
  'message'?: "hello"|"ack"|"report";
}
