import { plaintextCauses } from '../../../model/plaintext-cause.js';
import { Reason } from '../../../reasons/reasons.js';
import { Transport } from '../worker/transport.js';
import { EdgeCounters, type EdgeUse, mergeEdges } from './edge-counters.js';
import { LabelTable } from './label-table.js';

function made() {
  const labels = new LabelTable();
  const use: EdgeUse = {
    sourceId: labels.workloadId('shop', 'web'),
    destinationId: labels.workloadId('shop', 'cart'),
    port: 8080,
    transport: Transport.tls,
    cause: 0,
    refusal: 0,
  };
  return { edges: new EdgeCounters(labels), use };
}

test('an edge is told by port and transport, with why it is plaintext or refused', () => {
  const { edges, use } = made();
  edges.countRequest(use);
  edges.countRequest(use);
  edges.countConnection(use);
  const cause = plaintextCauses.indexOf('source_not_captured');
  edges.countConnection({ ...use, transport: Transport.plaintext, cause });
  edges.countConnection({ ...use, transport: Transport.none, refusal: Reason.plaintext_refused });
  const edge = { source: 'shop/web', destination: 'shop/cart', port: 8080, connections: 1, requests: 0 };
  expect(edges.list()).toEqual([
    { ...edge, transport: 'tls', reason: 'none', requests: 2 },
    { ...edge, transport: 'plaintext', reason: 'source_not_captured' },
    { ...edge, transport: 'none', reason: 'plaintext_refused' },
  ]);
});

test('a pair that uses very many ports takes bounded memory', () => {
  const { edges, use } = made();
  for (let port = 1; port <= 5_000; port += 1) edges.countConnection({ ...use, port });
  const listed = edges.list();
  expect(listed).toHaveLength(257);
  expect(listed.find(({ port }) => port === 0)?.connections).toBe(5_000 - 256);
});

test('workers add up, and the two ends of one edge do not', () => {
  const { edges, use } = made();
  edges.countRequest(use);
  const once = edges.list();
  edges.countRequest(use);
  edges.countConnection(use);
  const twice = edges.list();
  const merged = mergeEdges([
    { outbound: once, inbound: [] },
    { outbound: once, inbound: twice },
  ]);
  expect(merged).toMatchObject([{ requests: 2, connections: 1 }]);
});
