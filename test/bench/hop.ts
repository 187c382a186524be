/** What one proxy is asked to do, in words that every subject's configuration can be made from. */

import type { Credentials } from './credentials.js';

/** Where a backend, or the next hop in front of it, listens. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Requests come in here; with `routes` the host and prefix choose among `endpoints`, else the first is taken. */
/** Mutual TLS, version 1.3 alone, on either side of a listener; null: plaintext. */
export interface Encryption {
  /** Towards who connects: must show a certificate. */
  readonly inbound: Credentials | null;
  /** Towards the endpoints. */
  readonly outbound: Credentials | null;
}

export const plaintext: Encryption = { inbound: null, outbound: null };

export interface HttpListener extends Encryption {
  readonly protocol: 'http';
  readonly address: string;
  readonly port: number;
  readonly routes: boolean;
  readonly authorization: boolean;
  /** HTTP/2 by prior knowledge on both sides; who connects may speak HTTP/1.1 all the same. */
  readonly http2: boolean;
  readonly endpoints: readonly Endpoint[];
}

export interface TcpListener extends Encryption {
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

/** A proxy takes at least so many connections at once; some size their tables by it. */
export const mostConnections = 10_100;

/** How a peer is configured and started; `directory` is the hop's own. */
export interface Peer {
  readonly name: 'haproxy' | 'nginx' | 'envoy';
  /** Added to every port that it listens on: peers share namespaces. */
  readonly portOffset: number;
  /** Files to write into `directory`, by name. */
  files(hop: Hop, directory: string): Record<string, string>;
  argv(directory: string): string[];
}
