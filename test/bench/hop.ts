/** What one proxy is asked to do, in words that every subject's configuration can be made from. */

/** Where a backend, or the next hop in front of it, listens. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Requests come in here; with `routes` the host and prefix choose among `endpoints`, else the first is taken. */
export interface HttpListener {
  readonly protocol: 'http';
  readonly address: string;
  readonly port: number;
  readonly routes: boolean;
  readonly authorization: boolean;
  readonly endpoints: readonly Endpoint[];
}

export interface TcpListener {
  readonly protocol: 'tcp';
  readonly address: string;
  readonly port: number;
  readonly endpoint: Endpoint;
}

export type Listener = HttpListener | TcpListener;

/** One proxy process of a peer. */
export interface Hop {
  readonly namespace: string;
  readonly listeners: readonly Listener[];
  /** Sources that the authorization denies. */
  readonly untrusted: readonly string[];
  /** One line for each request, as the subject writes them by itself, into a file. */
  readonly accessLog: boolean;
  /** Where its statistics are served, on loopback. */
  readonly statsPort: number;
}

/** How a peer is configured and started; `directory` is the hop's own. */
export interface Peer {
  readonly name: 'haproxy' | 'nginx' | 'envoy';
  /** Added to every port that it listens on: peers share namespaces. */
  readonly portOffset: number;
  /** Files to write into `directory`, by name. */
  files(hop: Hop, directory: string): Record<string, string>;
  argv(directory: string): string[];
}
