/** The tools that make load, and how their output is read. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Endpoint } from './hop.js';
import { loadCore, run } from './processes.js';
import { hosts, prefixes } from './rules.js';

/** What one measured interval moved. A unit is a request, a connection or a MiB, as the case says. */
export interface Moved {
  readonly units: number;
  readonly seconds: number;
  readonly p50Us: number | null;
  readonly p99Us: number | null;
}

export interface LoadOptions {
  readonly namespace: string;
  readonly target: Endpoint;
  readonly seconds: number;
  /** For scripts; exists. */
  readonly directory: string;
}

const connections = 64;
const startMs = 30_000;

/** Requests go round over all hosts and prefixes, in an order that does not favour a cache. */
function wrkScript(close: boolean): string {
  const connection = close ? '["Connection"] = "close", ' : '';
  return `
local requests = {}
init = function()
  for i = 0, ${hosts.length * prefixes.length - 1} do
    local at = (i * 189) % ${hosts.length * prefixes.length}
    local host, prefix = math.floor(at / ${prefixes.length}), at % ${prefixes.length}
    requests[i + 1] = wrk.format("GET", "/p" .. prefix .. "/items/" .. i,
      { ["Host"] = "h" .. host .. ".shop.test", ${connection}["User-Agent"] = "wrk/4.1.0", ["Accept"] = "*/*" })
  end
end
local at = 0
request = function()
  at = at + 1
  if at > #requests then at = 1 end
  return requests[at]
end
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('\\n@{"requests":%d,"us":%d,"p50":%d,"p99":%d,"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect, e.read, e.write, e.status, e.timeout))
end
`;
}

interface WrkSummary {
  readonly requests: number;
  readonly us: number;
  readonly p50: number;
  readonly p99: number;
  readonly connect: number;
  readonly read: number;
  readonly write: number;
  readonly status: number;
  readonly timeout: number;
}

/** As many requests as 64 connections get through (closed loop); `close` opens a connection for each. */
export async function saturate(options: LoadOptions, close: boolean): Promise<Moved> {
  const script = join(options.directory, close ? 'close.lua' : 'keep.lua');
  writeFileSync(script, wrkScript(close));
  const { address, port } = options.target;
  const argv = ['wrk', '-t1', `-c${connections}`, `-d${options.seconds}s`, '--latency', '-s', script];
  const launch = {
    argv: [...argv, `http://${address}:${port}/`],
    namespace: options.namespace,
    core: loadCore,
  };
  const output = await run(launch, options.seconds * 1000 + startMs);
  const line = output.split('\n').find((text) => text.startsWith('@'));
  if (line === undefined) throw new Error(`wrk printed no summary:\n${output}`);
  const summary = JSON.parse(line.slice(1)) as WrkSummary;
  const { connect, read, write, status, timeout } = summary;
  if (summary.requests === 0 || connect + read + write + status + timeout > 0) {
    throw new Error(`the load had errors: ${line.slice(1)}`);
  }
  return {
    units: summary.requests,
    seconds: summary.us / 1e6,
    p50Us: summary.p50,
    p99Us: summary.p99,
  };
}

interface OhaReport {
  readonly summary: { readonly total: number };
  readonly latencyPercentiles: Readonly<Record<'p50' | 'p99', number>>;
  readonly statusCodeDistribution: Readonly<Record<string, number>>;
  readonly errorDistribution: Readonly<Record<string, number>>;
}

/**
 * A fixed rate. oha's latency correction counts a request from when it was due, not from when a connection became free
 * to send it, so a stall shows in the percentiles (no coordinated omission).
 */
export async function fixRate(options: LoadOptions, perSecond: number): Promise<Moved> {
  const { address, port } = options.target;
  const url = `http://${address}:${port}/p[0-9]/items/[0-9]`;
  const argv = ['.tools/oha', '--no-tui', '--output-format', 'json', '--latency-correction'];
  argv.push('-c', String(connections), '-q', String(perSecond), '-z', `${options.seconds}s`, '-w');
  argv.push('-H', `Host: ${hosts[7]}`, '--rand-regex-url', url);
  const launch = { argv, namespace: options.namespace, core: loadCore };
  const report = JSON.parse(await run(launch, options.seconds * 1000 + startMs)) as OhaReport;
  const answered = report.statusCodeDistribution;
  const wrong = Object.keys(answered).filter((status) => status !== '200');
  const failed = Object.keys(report.errorDistribution).filter((text) => text !== 'aborted due to deadline');
  if (wrong.length + failed.length > 0) {
    throw new Error(`the load had errors: ${JSON.stringify([answered, report.errorDistribution])}`);
  }
  return {
    units: answered[200] ?? 0,
    seconds: report.summary.total,
    p50Us: report.latencyPercentiles.p50 * 1e6,
    p99Us: report.latencyPercentiles.p99 * 1e6,
  };
}

/**
 * Streams of HTTP/2, 8 at a time on each of 8 connections, to every prefix of one host; `calls`: as unary gRPC calls with
 * 64 bytes of content. h2load tells no percentiles.
 */
export async function sendStreams(options: LoadOptions, calls: boolean): Promise<Moved> {
  const { address, port } = options.target;
  const [targets, content] = [join(options.directory, 'targets'), join(options.directory, 'message')];
  writeFileSync(targets, prefixes.map((prefix) => `http://${address}:${port}${prefix}/items/1\n`).join(''));
  // One uncompressed message (gRPC over HTTP2, "Length-Prefixed-Message").
  writeFileSync(content, Buffer.concat([Buffer.from([0, 0, 0, 0, 59]), Buffer.alloc(59, 'm')]));
  const call = ['-d', content, '-H', 'content-type: application/grpc', '-H', 'te: trailers'];
  const argv = ['h2load', '-t1', '-c8', '-m8', '-D', String(options.seconds), '-i', targets];
  argv.push('-H', `:authority: ${hosts[7]}`, ...(calls ? call : []));
  const output = await run(
    { argv, namespace: options.namespace, core: loadCore },
    options.seconds * 1000 + startMs,
  );
  const [, succeeded, failed] = /(\d+) succeeded, (\d+) failed/.exec(output) ?? [];
  const statuses = /status codes: (\d+) 2xx/.exec(output)?.[1];
  if (succeeded === undefined || failed !== '0' || Number(statuses) < Number(succeeded)) {
    throw new Error(`the load had errors:\n${output}`);
  }
  return { units: Number(succeeded), seconds: options.seconds, p50Us: null, p99Us: null };
}

interface IperfReport {
  readonly error?: string;
  readonly end: { readonly sum_received?: { readonly bytes: number; readonly seconds: number } };
}

/** One TCP stream from client to server, as fast as it goes. Units are MiB. */
export async function streamBytes(options: LoadOptions): Promise<Moved> {
  const { address, port } = options.target;
  const argv = ['iperf3', '-J', '-c', address, '-p', String(port), '-t', String(options.seconds)];
  const launch = { argv, namespace: options.namespace, core: loadCore };
  const report = JSON.parse(await run(launch, options.seconds * 1000 + startMs)) as IperfReport;
  const received = report.end.sum_received;
  if (report.error !== undefined || received === undefined) throw new Error(`iperf3: ${report.error}`);
  const { bytes, seconds } = received;
  return { units: bytes / 2 ** 20, seconds, p50Us: null, p99Us: null };
}
