// Generated from proto/weft/v1/config.proto by scripts/generate-proto.mjs; do not edit.


export interface Capture {
  /**
   * Empty: the node finds it by the workload's uid.
   */
  'netns'?: (string);
  /**
   * closed | open
   */
  'failMode'?: (string);
  /**
   * allow | deny
   */
  'udp'?: (string);
  'probePorts'?: (number)[];
}

export interface Capture__Output {
  /**
   * Empty: the node finds it by the workload's uid.
   */
  'netns': (string);
  /**
   * closed | open
   */
  'failMode': (string);
  /**
   * allow | deny
   */
  'udp': (string);
  'probePorts': (number)[];
}
