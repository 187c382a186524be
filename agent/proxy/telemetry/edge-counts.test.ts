import { mergeEdges } from '../../../model/edge.js';
import { plaintextCauses } from '../../../model/plaintext-cause.js';
import { Reason } from '../../../reasons/reasons.js';
import { Transport } from '../worker/transport.js';
import { EdgeCounts, edgeKey } from './edge-counts.js';

const web = { namespace: 'shop', workload: 'web' };
const cart = { namespace: 'shop', workload: 'cart' };
const tls = edgeKey(8080, Transport.tls, 0, 0);

test('an edge is told by port and transport, with why it is plaintext or refused', () => {
  const edges = new EdgeCounts();
  edges.countRequest(tls);
  edges.countRequest(tls);
  edges.countConnection(tls);
  const cause = plaintextCauses.indexOf('source_not_captured');
  edges.countConnection(edgeKey(65_535, Transport.plaintext, cause, 0));
  edges.countConnection(edgeKey(8080, Transport.tls, 0, Reason.plaintext_refused));
  const edge = { source: 'shop/web', destination: 'shop/cart', port: 8080, connections: 1, requests: 0 };
  expect(edges.list(web, cart)).toEqual([
    { ...edge, transport: 'tls', reason: 'none', requests: 2 },
    { ...edge, port: 65_535, transport: 'plaintext', reason: 'source_not_captured' },
    { ...edge, transport: 'none', reason: 'plaintext_refused' },
  ]);
});

test('a pair that uses very many ports takes bounded memory', () => {
  const edges = new EdgeCounts();
  for (let port = 1; port <= 5_000; port += 1) edges.countConnection(edgeKey(port, Transport.tls, 0, 0));
  const listed = edges.list(web, cart);
  expect(listed).toHaveLength(65);
  expect(listed.find(({ port }) => port === 0)?.connections).toBe(5_000 - 64);
});

test('workers add up, and the two ends of one edge do not', () => {
  const edges = new EdgeCounts();
  edges.countRequest(tls);
  const once = edges.list(web, cart);
  edges.countRequest(tls);
  edges.countConnection(tls);
  const twice = edges.list(web, cart);
  const merged = mergeEdges([
    { outbound: once, inbound: [] },
    { outbound: once, inbound: twice },
  ]);
  expect(merged).toMatchObject([{ requests: 2, connections: 1 }]);
});
