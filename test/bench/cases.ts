/** What is measured: a way through the mesh under a kind of load. */
import type { SubjectName, Way } from './deployments.js';

/**
 * saturated, rate: requests over kept connections. connections: a client connection for every request. opaque: the same,
 * and no proxy reads what is said, so each goes on as a connection of its own. stream: one opaque connection. idle:
 * connections that were used once; idle-opaque: the same, passed on one by one. http2: requests as streams, 8 at a time
 * on 8 connections; grpc: the same as unary calls.
 */
export type Load =
  | 'saturated'
  | 'rate'
  | 'connections'
  | 'opaque'
  | 'stream'
  | 'idle'
  | 'idle-opaque'
  | 'http2'
  | 'grpc';

/** What one unit of a case's figures is. */
export type Unit = 'request' | 'connection' | 'MiB';

export interface Case {
  readonly name: string;
  readonly way: Way;
  readonly load: Load;
  readonly unit: Unit;
  readonly subjects: readonly SubjectName[];
  readonly title: string;
}

const proxies: readonly SubjectName[] = ['weft', 'haproxy', 'nginx', 'envoy'];
/** nginx speaks no HTTP/2 to its backends. */
const http2Proxies: readonly SubjectName[] = ['weft', 'haproxy', 'envoy'];
const withDirect: readonly SubjectName[] = [...proxies, 'direct'];

export const cases: readonly Case[] = [
  {
    name: 'outbound',
    way: 'outbound',
    load: 'saturated',
    unit: 'request',
    subjects: proxies,
    title:
      'one hop beside the client: 50 hosts × 10 prefixes to 4 backends, authorization; 64 connections, saturated',
  },
  {
    name: 'outbound-rate',
    way: 'outbound',
    load: 'rate',
    unit: 'request',
    subjects: proxies,
    title: 'the same hop at a fixed rate',
  },
  {
    name: 'logged',
    way: 'logged',
    load: 'saturated',
    unit: 'request',
    subjects: proxies,
    title: 'the same hop with an access log; 64 connections, saturated',
  },
  {
    name: 'connections',
    way: 'outbound',
    load: 'connections',
    unit: 'connection',
    subjects: withDirect,
    title: 'the same hop, a new client connection for every request',
  },
  {
    name: 'stream',
    way: 'outbound',
    load: 'stream',
    unit: 'MiB',
    subjects: withDirect,
    title: 'the same hop, one opaque TCP stream',
  },
  {
    name: 'idle',
    way: 'outbound',
    load: 'idle',
    unit: 'connection',
    subjects: proxies,
    title: 'the same hop, memory while client connections are idle',
  },
  {
    name: 'inbound',
    way: 'inbound',
    load: 'saturated',
    unit: 'request',
    subjects: proxies,
    title:
      'one hop beside the server: authorization by header, method, path and source; 64 connections, saturated',
  },
  {
    name: 'inbound-rate',
    way: 'inbound',
    load: 'rate',
    unit: 'request',
    subjects: proxies,
    title: 'the same hop at a fixed rate',
  },
  {
    name: 'mesh',
    way: 'mesh',
    load: 'saturated',
    unit: 'request',
    subjects: withDirect,
    title: 'pod to pod through both hops, routes and authorization; 64 connections, saturated',
  },
  {
    name: 'mesh-rate',
    way: 'mesh',
    load: 'rate',
    unit: 'request',
    subjects: withDirect,
    title: 'the same two hops at a fixed rate',
  },
  {
    name: 'http2',
    way: 'http2',
    load: 'http2',
    unit: 'request',
    subjects: http2Proxies,
    title:
      'one hop beside the client by HTTP/2 without TLS: routes, authorization; 8 connections of 8 streams, saturated',
  },
  {
    name: 'grpc',
    way: 'http2',
    load: 'grpc',
    unit: 'request',
    subjects: http2Proxies,
    title: 'the same hop, unary gRPC calls: content both ways and trailers',
  },
  {
    name: 'mtls',
    way: 'mtls',
    load: 'saturated',
    unit: 'request',
    subjects: withDirect,
    title:
      'pod to pod through both hops, mutual TLS 1.3 between them, routes and authorization; 64 connections, saturated',
  },
  {
    name: 'mtls-rate',
    way: 'mtls',
    load: 'rate',
    unit: 'request',
    subjects: withDirect,
    title: 'the same two hops with mutual TLS at a fixed rate',
  },
  {
    name: 'tls-out',
    way: 'tls-out',
    load: 'saturated',
    unit: 'request',
    subjects: proxies,
    title:
      'the hop beside the client alone, of the same two: plaintext in, mutual TLS out; routes; 64 connections, saturated',
  },
  {
    name: 'tls-in',
    way: 'tls-in',
    load: 'saturated',
    unit: 'request',
    subjects: proxies,
    title:
      'the hop beside the server alone, of the same two: mutual TLS in, plaintext out; authorization; 64 connections, saturated',
  },
  {
    name: 'mtls-stream',
    way: 'mtls',
    load: 'stream',
    unit: 'MiB',
    subjects: withDirect,
    title: 'the same two hops with mutual TLS, one opaque TCP stream',
  },
  {
    name: 'handshakes',
    way: 'mtls',
    load: 'opaque',
    unit: 'connection',
    subjects: withDirect,
    title:
      'the same two hops, a new opaque connection for every request: a handshake of mutual TLS each, resumed by what resumes by default',
  },
  {
    name: 'mtls-clients',
    way: 'mtls',
    load: 'idle',
    unit: 'connection',
    subjects: proxies,
    title: 'the same two hops, memory while client connections that have sent a request each are idle',
  },
  {
    name: 'mtls-idle',
    way: 'mtls',
    load: 'idle-opaque',
    unit: 'connection',
    subjects: proxies,
    title:
      'the same two hops, memory while opaque connections are idle, each with a TLS connection of its own',
  },
];

/** The cases of a comma-separated list, or all of them; throws on a name that does not exist. */
export function selectCases(list: string): readonly Case[] {
  if (list === '') return cases;
  return list.split(',').map((name) => {
    const found = cases.find((one) => one.name === name);
    if (found !== undefined) return found;
    throw new Error(`no case ${name}; there are ${cases.map((one) => one.name).join(', ')}`);
  });
}
