import { parseMetrics, type TrafficRow, tabulateTraffic } from '../../netns/harness/metrics.js';
import type { Demo } from '../demo.js';

/** Step 9: Prometheus's own Python parser reads /metrics, and the table of golden signals follows from it. */
export async function showMetrics({ scrapes, narrator, weft }: Demo): Promise<void> {
  narrator.command('curl --unix-socket admin.sock http://weft/metrics | python3 parse-metrics.py');
  const samples = await parseMetrics(await weft.metricsText());
  narrator.seen(`${samples.length} samples, ${new Set(samples.map(({ name }) => name)).size} names`);
  const seconds = (performance.now() - scrapes.startMs) / 1000;
  // The new proxy's counters began at zero; Prometheus adds what was before such a reset, and so does this.
  const rows = tabulateTraffic(scrapes.first, [...scrapes.beforeKill, ...samples], seconds);
  narrator.seen(formatTraffic(rows));
  narrator.check("Prometheus's parser reads /metrics", samples.length > 0);
  const canary = rows.find(({ source, route }) => source === 'web' && route.startsWith('shop/storefront/'));
  narrator.check('the table knows web → shop by its routes', canary !== undefined);
  narrator.check(
    'every row has its rate and percentiles',
    rows.every(
      (row) => row.perSecond > 0 && row.p50Ms > 0 && row.p50Ms <= row.p95Ms && row.p95Ms <= row.p99Ms,
    ),
  );
}

function formatTraffic(rows: readonly TrafficRow[]): string {
  const head = ['source', 'destination', 'route', 'requests', 'success', 'rps', 'p50 ms', 'p95 ms', 'p99 ms'];
  const cells = rows.map((row) => [
    row.source,
    row.destination,
    row.route,
    String(row.requests),
    `${(row.success * 100).toFixed(2)} %`,
    row.perSecond.toFixed(1),
    ...[row.p50Ms, row.p95Ms, row.p99Ms].map((value) => value.toFixed(2)),
  ]);
  const widths = head.map((name, column) =>
    Math.max(name.length, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        column < 3 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ');
  return [line(head), ...cells.map(line)].join('\n');
}
