/** Packets with descriptors over a Unix socket (SOCK_SEQPACKET, SCM_RIGHTS), for the talk between capture and proxy. */

/** Who is at the other end (SO_PEERCRED), at the time it connected. */
export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

export interface ChannelHandlers {
  /** Descriptors are owned by the receiver, close-on-exec. */
  readonly onMessage: (message: Buffer, descriptors: number[]) => void;
  /** Once; `error` where it did not end in order. */
  readonly onClose: (error: Error | undefined) => void;
}

/** One connected end. Packets are delivered whole and in order. */
export interface Channel {
  readonly peer: PeerCredentials;
  /** Queued if the socket is full (at most 1,024 packets, then it throws). Descriptors are duplicated, not taken. */
  send(message: Uint8Array, descriptors?: readonly number[]): void;
  close(): void;
}

export interface ChannelServer {
  close(): void;
}
