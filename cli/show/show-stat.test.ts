import { expectGolden } from './expect-golden.js';
import { readMetrics } from './read-metrics.js';
import { formatStat, tabulateTraffic } from './show-stat.js';

describe('stat', () => {
  const labels = (route: string, more = '') =>
    `direction="outbound",source_namespace="shop",source_workload="web",destination_namespace="shop",` +
    `destination_workload="cart",destination_service="cart",route="${route}"${more}`;
  const scrape = (ok: number, bad: number, buckets: readonly [string, number][]) =>
    readMetrics(
      [
        '# TYPE weft_requests_total counter',
        `weft_requests_total{${labels('shop/cart/a', ',status="200",reason="none"')}} ${ok}`,
        `weft_requests_total{${labels('shop/cart/a', ',status="503",reason="connect_refused"')}} ${bad}`,
        `weft_requests_total{${labels('shop/cart/a', ',status="200"').replace('outbound', 'inbound')}} 999`,
        ...buckets.map(
          ([le, count]) =>
            `weft_request_duration_seconds_bucket{${labels('shop/cart/a', `,le="${le}"`)}} ${count}`,
        ),
        `weft_requests_total{${labels('default', ',status="404"')}} 5`,
      ].join('\n'),
    );
  test("of gRPC only the server's faults count as failures, whatever the HTTP status", () => {
    const samples = readMetrics(
      ['0', '5', '7', '14', '12', '']
        .map(
          (status) => `weft_requests_total{${labels('default', `,status="200",grpc_status="${status}"`)}} 10`,
        )
        .join('\n'),
    );
    expect(tabulateTraffic([], samples, 1)).toMatchObject([{ requests: 60, success: 1 - 20 / 60 }]);
  });

  const before = scrape(100, 0, [
    ['0.005', 100],
    ['0.01', 100],
    ['+Inf', 100],
  ]);
  const after = scrape(280, 20, [
    ['0.005', 200],
    ['0.01', 290],
    ['+Inf', 300],
  ]);

  test('counts what happened between two looks', () => {
    const rows = tabulateTraffic(before, after, 10);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      requests: 200,
      success: 0.9,
      perSecond: 20,
      p50Ms: 5,
      p95Ms: 10,
      p99Ms: 10,
    });
    expectGolden('stat', formatStat(rows));
    expect(formatStat([])).toBe('no requests in that time\n');
  });

  test('a proxy that began anew counts from zero', () => {
    expect(tabulateTraffic(after, before, 10)[0]?.requests).toBe(100);
  });

  test('labels with quotes and line breaks are read as they were', () => {
    expect(readMetrics('a{b="x\\"y\\\\z\\n,c=\\"d"} 1e3')).toEqual([
      { name: 'a', labels: { b: 'x"y\\z\n,c="d' }, value: 1000 },
    ]);
  });
});
