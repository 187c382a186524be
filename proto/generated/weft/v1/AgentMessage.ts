// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.

import type { Hello as _weft_v1_Hello, Hello__Output as _weft_v1_Hello__Output } from '../../weft/v1/Hello.js';
import type { Ack as _weft_v1_Ack, Ack__Output as _weft_v1_Ack__Output } from '../../weft/v1/Ack.js';
import type { NodeReport as _weft_v1_NodeReport, NodeReport__Output as _weft_v1_NodeReport__Output } from '../../weft/v1/NodeReport.js';
import type { WantChange as _weft_v1_WantChange, WantChange__Output as _weft_v1_WantChange__Output } from '../../weft/v1/WantChange.js';

export interface AgentMessage {
  'hello'?: (_weft_v1_Hello | null);
  'ack'?: (_weft_v1_Ack | null);
  'report'?: (_weft_v1_NodeReport | null);
  /**
   * Only where a delta of this stream said scoped: an older controller ends the stream for it.
   */
  'wants'?: (_weft_v1_WantChange | null);
  'message'?: "hello"|"ack"|"report"|"wants";
}

export interface AgentMessage__Output {
  'hello'?: (_weft_v1_Hello__Output | null);
  'ack'?: (_weft_v1_Ack__Output | null);
  'report'?: (_weft_v1_NodeReport__Output | null);
  /**
   * Only where a delta of this stream said scoped: an older controller ends the stream for it.
   */
  'wants'?: (_weft_v1_WantChange__Output | null);
  'message'?: "hello"|"ack"|"report"|"wants";
}
