/** Results: medians with spread, the file for programs and the table for people. */
import type { Case, Unit } from './cases.js';
import type { SubjectName } from './deployments.js';
import type { Run } from './measure.js';

/** One entry of results.json. Figures are medians over `runs`; null where a case does not have them. */
export interface Result {
  readonly case: string;
  readonly subject: SubjectName;
  /** What "request" stands for in the names below: request, connection or MiB. */
  readonly unit: Unit;
  readonly cpuUsPerRequest: number | null;
  readonly rps: number | null;
  readonly p50Us: number | null;
  readonly p99Us: number | null;
  /** Resident memory plus kernel memory of sockets. */
  readonly rssKib: number;
  readonly runs: readonly Run[];
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

type Figure = 'cpuUsPerUnit' | 'coreUsPerUnit' | 'machineUsPerUnit' | 'unitsPerSecond' | 'p50Us' | 'p99Us';

function figures(runs: readonly Run[], figure: Figure): number[] {
  return runs.flatMap((run) => run[figure] ?? []);
}

function medianOf(runs: readonly Run[], figure: Figure): number | null {
  const values = figures(runs, figure);
  return values.length === 0 ? null : median(values);
}

export function summarize(one: Case, subject: SubjectName, runs: readonly Run[]): Result {
  return {
    case: one.name,
    subject,
    unit: one.unit,
    cpuUsPerRequest: medianOf(runs, 'cpuUsPerUnit'),
    rps: medianOf(runs, 'unitsPerSecond'),
    p50Us: medianOf(runs, 'p50Us'),
    p99Us: medianOf(runs, 'p99Us'),
    rssKib: median(runs.map(({ residentKib, socketKib }) => residentKib + socketKib)),
    runs,
  };
}

/** Half the range as a share of the median, as text. */
function spread(runs: readonly Run[], figure: Figure): string {
  const values = figures(runs, figure);
  const middle = median(values);
  if (values.length < 2 || middle === 0) return '';
  return `±${(((Math.max(...values) - Math.min(...values)) / 2 / middle) * 100).toFixed(0)}%`;
}

const number = (value: number | null, digits: number) => (value === null ? '' : value.toFixed(digits));

function ratio(result: Result, base: Result | undefined): string {
  const [value, by] = [result.cpuUsPerRequest, base?.cpuUsPerRequest];
  return value === null || value === 0 || !by ? '' : (value / by).toFixed(2);
}

const heads = [
  'subject',
  'CPU µs',
  '',
  '×haproxy',
  '×envoy',
  'core µs',
  'machine µs',
  'per s',
  '',
  'p50 µs',
  'p99 µs',
];
const memoryHeads = ['MiB', 'of it sockets'];

function row(result: Result, all: readonly Result[]): string[] {
  const base = (subject: SubjectName) => all.find((other) => other.subject === subject);
  const { runs } = result;
  const socketKib = median(runs.map((run) => run.socketKib));
  return [
    result.subject,
    number(result.cpuUsPerRequest, 1),
    spread(runs, 'cpuUsPerUnit'),
    ratio(result, base('haproxy')),
    ratio(result, base('envoy')),
    number(medianOf(runs, 'coreUsPerUnit'), 1),
    number(medianOf(runs, 'machineUsPerUnit'), 1),
    number(result.rps, 0),
    spread(runs, 'unitsPerSecond'),
    number(result.p50Us, 0),
    number(result.p99Us, 0),
    number(result.rssKib / 1024, 1),
    number(socketKib / 1024, 1),
  ];
}

/** A case's results as an aligned table. */
export function table(one: Case, results: readonly Result[]): string {
  const rows = [[...heads, ...memoryHeads], ...results.map((result) => row(result, results))];
  const widths =
    rows[0]?.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0))) ?? [];
  const lines = rows.map((cells) =>
    cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  return `${one.name}: ${one.title} (per ${one.unit})\n${lines.join('\n')}\n`;
}
