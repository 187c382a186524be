import { Reason } from '../../../reasons/reasons.js';
import { Transport } from '../worker/transport.js';
import { LabelTable } from './label-table.js';
import { connectionKey, countAttempt, requestKey, TrafficCounters } from './traffic-counters.js';
import type { MetricFamily } from './worker-metrics.js';

function made() {
  const labels = new LabelTable();
  const counters = new TrafficCounters(labels);
  const key = {
    direction: 0,
    sourceId: labels.workloadId('shop', 'web'),
    destinationId: labels.workloadId('shop', 'cart'),
    targetId: labels.targetId('cart', 'shop/cart/0'),
    memo: null,
  };
  const named = (name: string): MetricFamily => {
    const found = counters.collect().find((one) => one.name === name);
    if (found === undefined) throw new Error(`no ${name}`);
    return found;
  };
  return { labels, counters, key, named };
}

test('requests are counted by status, gRPC status, reason and authentication, with every documented label', () => {
  const { counters, key, named } = made();
  counters.countRequest(key, requestKey(200, -1, Reason.none, Transport.none, false), 900, -1);
  counters.countRequest(key, requestKey(200, -1, Reason.none, Transport.none, false), 900, -1);
  counters.countRequest(key, requestKey(503, -1, Reason.connect_refused, Transport.none, true), 100, -1);
  counters.countRequest(key, requestKey(200, 0, Reason.none, Transport.none, false), 900, -1);
  counters.countRequest(key, requestKey(403, 7, Reason.policy_denied, Transport.tls, true), 900, -1);
  counters.countRequest(key, requestKey(200, 99, Reason.none, Transport.none, false), 900, -1);
  const labels = {
    direction: 'outbound',
    source_namespace: 'shop',
    source_workload: 'web',
    destination_namespace: 'shop',
    destination_workload: 'cart',
    destination_service: 'cart',
    route: 'shop/cart/0',
  };
  const counted = (
    status: number,
    grpc_status: string,
    reason: string,
    authenticated: string,
    value: number,
    transport = 'none',
  ) => ({
    labels: { ...labels, status, grpc_status, reason, transport, authenticated },
    value,
  });
  expect(named('weft_requests_total').values).toEqual([
    counted(200, '', 'none', 'false', 2),
    counted(503, '', 'connect_refused', 'true', 1),
    counted(200, '0', 'none', 'false', 1),
    counted(403, '7', 'policy_denied', 'true', 1, 'tls'),
    counted(200, '2', 'none', 'false', 1),
  ]);
});

test('a duration falls into its bucket and all above, in seconds', () => {
  const { counters, key, named } = made();
  counters.countRequest(key, requestKey(200, -1, Reason.none, Transport.none, false), 500, -1);
  counters.countRequest(key, requestKey(200, -1, Reason.none, Transport.none, false), 2_500, -1);
  counters.countRequest(key, requestKey(200, -1, Reason.none, Transport.none, false), 61_000_000, -1);
  const { values } = named('weft_request_duration_seconds');
  const bucket = (le: number | string) => values.find((value) => value.labels.le === le)?.value;
  expect([bucket(0.0005), bucket(0.002), bucket(0.003), bucket(60), bucket('+Inf')]).toEqual([1, 1, 2, 2, 3]);
  expect(values.find((value) => value.metricName?.endsWith('_sum'))?.value).toBeCloseTo(61.003);
  expect(values.find((value) => value.metricName?.endsWith('_count'))?.value).toBe(3);
});

test('bytes are those of opaque connections only', () => {
  const { counters, key, named } = made();
  counters.countConnection(key, connectionKey(true, Reason.none, 0, false), 10, 20, -1);
  counters.countConnection(key, connectionKey(false, Reason.idle_timeout, 0, false), 5, 0, -1);
  expect(
    named('weft_connections_total').values.map(({ labels, value }) => [
      labels.protocol,
      labels.reason,
      value,
    ]),
  ).toEqual([
    ['http', 'none', 1],
    ['tcp', 'idle_timeout', 1],
  ]);
  expect(
    named('weft_connection_bytes_total').values.map(({ labels, value }) => [labels.flow, value]),
  ).toEqual([['received', 5]]);
});

test('attempts of one service add up over its records', () => {
  const { counters, named } = made();
  const first = counters.attemptsOf('shop', 'cart');
  const second = counters.attemptsOf('shop', 'cart');
  countAttempt(first, false, false);
  countAttempt(second, false, false);
  countAttempt(second, true, true);
  expect(named('weft_attempts_total').values).toEqual([
    {
      labels: { destination_namespace: 'shop', destination_service: 'cart', result: 'ok', retry: 'false' },
      value: 2,
    },
    {
      labels: { destination_namespace: 'shop', destination_service: 'cart', result: 'failed', retry: 'true' },
      value: 1,
    },
  ]);
});

test('refusals carry the layer and name of the registry', () => {
  const { counters, named } = made();
  counters.countRefusal(Reason.policy_denied);
  counters.countRefusal(Reason.http1_bare_line_feed);
  counters.countRefusal(Reason.none);
  expect(named('weft_refusals_total').values.map(({ labels }) => labels)).toEqual([
    { layer: 'engine', reason: 'http1_bare_line_feed' },
    { layer: 'pipeline', reason: 'policy_denied' },
  ]);
});

test('series beyond the bound are counted under unknown labels, none is lost', () => {
  const { counters, labels, named } = made();
  const targetId = labels.targetId('s', 'r');
  for (let index = 0; index < 20_005; index += 1) {
    const sourceId = labels.workloadId('n', `w${index}`);
    counters.countConnection(
      { direction: 0, sourceId, destinationId: 0, targetId, memo: null },
      connectionKey(true, 0, 0, false),
      0,
      0,
      -1,
    );
  }
  const values = named('weft_connections_total').values;
  expect(values.reduce((sum, { value }) => sum + value, 0)).toBe(20_005);
  expect(values.length).toBeLessThanOrEqual(20_001);
});
