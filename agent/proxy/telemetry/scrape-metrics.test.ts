import { mesh, resource, service, snapshotOf } from '../../../model/test-resources.js';
import { LabelTable } from './label-table.js';
import { collectControl, renderMetrics } from './scrape-metrics.js';
import { requestKey, TrafficCounters } from './traffic-counters.js';

function worker(requests: number) {
  const labels = new LabelTable();
  const counters = new TrafficCounters(labels);
  const key = {
    direction: 0,
    sourceId: labels.workloadId('shop', 'web'),
    destinationId: labels.workloadId('shop', 'cart'),
    targetId: labels.targetId('cart', 'shop/a"\\\n/0'),
    memo: null,
  };
  for (let count = 0; count < requests; count += 1)
    counters.countRequest(key, requestKey(200, -1, 0, 0, false), 700, -1);
  return counters.collect();
}

test('equal series of two workers are one, and labels are escaped', async () => {
  const text = await renderMetrics([worker(2), worker(3)]);
  const lines = text.split('\n').filter((line) => line.startsWith('weft_requests_total{'));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(
    /route="shop\/a\\"\\\\\\n\/0",status="200",grpc_status="",reason="none",transport="none",authenticated="false"} 5$/,
  );
  expect(text).toMatch(/weft_request_duration_seconds_bucket\{.*le="0.001"} 5/);
  expect(text).toMatch(/weft_request_duration_seconds_count\{.*} 5/);
  expect(text).toContain('# TYPE weft_request_duration_seconds histogram');
});

test('the control plane’s own figures are there', async () => {
  const snapshot = snapshotOf(resource('mesh', mesh()), resource('service', service()));
  const text = await renderMetrics([
    collectControl({
      node: 'n1',
      version: '0.1.0',
      snapshot,
      controllerConnected: true,
      resourceRefusals: new Map([['http-route', 2]]),
    }),
  ]);
  expect(text).toContain('weft_resources{kind="service"} 1');
  expect(text).toContain('weft_resource_refusals_total{kind="http-route"} 2');
  expect(text).toContain('weft_controller_connected 1');
  expect(text).toContain('weft_build_info{version="0.1.0",node="n1"} 1');
});
