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
  /** Once, also after {@link Channel.close}; `error` where it did not end in order. */
  readonly onClose: (error: Error | undefined) => void;
}

/** One connected end. Packets are delivered whole and in order, never inside the call that made the channel. */
export interface Channel {
  readonly peer: PeerCredentials;
  /**
   * Queued if the socket is full (at most 1,024 packets, then it throws). Descriptors are duplicated, not taken.
   * Throws RangeError for a packet that is empty or too large, Error once the channel is closed.
   */
  send(message: Uint8Array, descriptors?: readonly number[]): void;
  /** Ends it; what is still queued is dropped. */
  close(): void;
}

export interface ChannelServer {
  /** Takes no more connections and removes the socket file; connected channels stay. */
  close(): void;
}

/** What both addons export (native/addon/channel.cc). All throw Error with a `code` like node's (`ENOENT`). */
export interface ChannelFunctions {
  /**
   * Listens at `path` with mode 0660, owned by `owner` and this process's group. `onConnect` sees each new channel's peer and returns its
   * handlers, or undefined to refuse it (the channel is closed at once).
   */
  listenChannel(
    path: string,
    owner: number,
    onConnect: (channel: Channel) => ChannelHandlers | undefined,
  ): ChannelServer;
  connectChannel(path: string, handlers: ChannelHandlers): Channel;
}
