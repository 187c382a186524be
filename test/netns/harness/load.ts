/** Load from wrk, which never retries, and what it reports. */
import { readFileSync } from 'node:fs';
import type { LabProcess } from './lab-process.js';
import type { Pod } from './pod.js';

export interface LoadResult {
  readonly requests: number;
  readonly perSecond: number;
  /** Connect, read, write errors and timeouts together. */
  readonly socketErrors: number;
  /** Answers with a status outside 2xx and 3xx. */
  readonly badStatuses: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly report: string;
}

export interface LoadOptions {
  readonly url: string;
  readonly connections: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Seconds; {@link Load.stop} ends it earlier. */
  readonly seconds?: number;
  /** Words before `wrk`: nice(1), taskset(1). */
  readonly under?: readonly string[];
}

/** wrk on its way. */
export class Load {
  private readonly process: LabProcess;

  constructor(pod: Pod, options: LoadOptions) {
    const headers = Object.entries(options.headers ?? {}).flatMap(([name, value]) => [
      '-H',
      `${name}: ${value}`,
    ]);
    const wrk = [
      'wrk',
      '-t1',
      `-c${options.connections}`,
      `-d${options.seconds ?? 600}s`,
      '--timeout',
      '10s',
    ];
    const argv = [...wrk, '--latency', ...headers, options.url];
    this.process = pod.spawn([...(options.under ?? []), ...argv], { name: 'wrk' });
  }

  get running(): boolean {
    return this.process.running;
  }

  /** Counters of TCP in the load's namespace (/proc/net/snmp, RFC 4022). */
  tcpCounters(): Readonly<Record<string, number>> {
    const [names = [], values = []] = readFileSync(`/proc/${this.process.pid}/net/snmp`, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('Tcp:'))
      .map((line) => line.split(' ').slice(1));
    return Object.fromEntries(names.map((name, index) => [name, Number(values[index])]));
  }

  /** Ends it now, and reads its report. */
  async stop(): Promise<LoadResult> {
    this.process.signal('SIGINT');
    return this.result();
  }

  /** Waits for its end. */
  async result(): Promise<LoadResult> {
    return readReport(await this.process.result(620_000));
  }
}

/** Reads wrk's report; throws where it is none. */
export function readReport(report: string): LoadResult {
  const total = /(\d+) requests in/.exec(report);
  if (total === null) throw new Error(`no report of wrk: ${report}`);
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(report);
  return {
    requests: Number(total[1]),
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(report)?.[1]),
    socketErrors: errors === null ? 0 : errors.slice(1).reduce((sum, count) => sum + Number(count), 0),
    badStatuses: Number(/Non-2xx or 3xx responses: (\d+)/.exec(report)?.[1] ?? 0),
    p50Ms: readDuration(/50%\s+(\S+)/.exec(report)?.[1]),
    p99Ms: readDuration(/99%\s+(\S+)/.exec(report)?.[1]),
    report,
  };
}

/** wrk writes 812.00us, 1.23ms, 2.00s or 1.10m. */
function readDuration(text: string | undefined): number {
  const match = /^([\d.]+)(us|ms|s|m)$/.exec(text ?? '');
  const scale = { us: 0.001, ms: 1, s: 1000, m: 60_000 }[match?.[2] ?? ''] ?? Number.NaN;
  return Number(match?.[1]) * scale;
}
