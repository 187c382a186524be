/** Measures one subject once. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Case } from './cases.js';
import type { Deployment } from './deployments.js';
import type { Endpoint } from './hop.js';
import { fixRate, type LoadOptions, type Moved, saturate, sendStreams, streamBytes } from './loads.js';
import { command, interruption, loadCore, subjectCore } from './processes.js';
import { busyTimeUs, cpuTimeUs, type Memory, measureMemory } from './usage.js';

/** One measured interval of one subject. Null: the case does not have that figure. */
export interface Run extends Memory {
  /** User and system time of the subject's processes per unit. */
  readonly cpuUsPerUnit: number | null;
  /** Everything that ran on the subject's core, per unit: a check on the figure above. */
  readonly coreUsPerUnit: number | null;
  /** Everything that ran on the machine, client and backend included, per unit. */
  readonly machineUsPerUnit: number | null;
  readonly unitsPerSecond: number | null;
  readonly p50Us: number | null;
  readonly p99Us: number | null;
}

export interface MeasureOptions {
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Requests per second of the fixed-rate cases. */
  readonly rate: number;
  readonly idleConnections: number;
  readonly directory: string;
}

function load(one: Case, options: LoadOptions, rate: number): Promise<Moved> {
  switch (one.load) {
    case 'saturated':
      return saturate(options, false);
    case 'connections':
    case 'opaque':
      return saturate(options, true);
    case 'rate':
      return fixRate(options, rate);
    case 'stream':
      return streamBytes(options);
    case 'http2':
      return sendStreams(options, false);
    case 'grpc':
      return sendStreams(options, true);
    case 'idle':
    case 'idle-opaque':
      throw new Error('idle connections are held, not loaded');
  }
}

function targetOf({ name, load: kind }: Case, deployment: Deployment): Endpoint {
  const target = {
    saturated: deployment.target,
    rate: deployment.target,
    connections: deployment.target,
    opaque: deployment.opaqueTarget,
    stream: deployment.streamTarget,
    idle: deployment.target,
    'idle-opaque': deployment.opaqueTarget,
    http2: deployment.target,
    grpc: deployment.target,
  }[kind];
  if (target === null) throw new Error(`${deployment.subject} has no target for ${name}`);
  return target;
}

async function measureLoad(one: Case, deployment: Deployment, options: MeasureOptions): Promise<Run> {
  const target = targetOf(one, deployment);
  const { directory, seconds, warmUpSeconds, rate } = options;
  const common = { namespace: deployment.client, target, directory };
  await load(one, { ...common, seconds: warmUpSeconds }, rate);
  const read = () => [cpuTimeUs(deployment.roots), busyTimeUs(subjectCore), busyTimeUs(null)] as const;
  const before = read();
  const moving = load(one, { ...common, seconds }, rate);
  const halfway = pause(seconds * 500).then(() => measureMemory(deployment.roots, deployment.namespaces));
  const [moved, memory] = await Promise.all([moving, halfway]);
  const after = read();
  const [cpu, core, machine] = after.map((value, index) => (value - (before[index] ?? 0)) / moved.units);
  return {
    cpuUsPerUnit: cpu ?? null,
    coreUsPerUnit: core ?? null,
    machineUsPerUnit: machine ?? null,
    unitsPerSecond: moved.units / moved.seconds,
    p50Us: moved.p50Us,
    p99Us: moved.p99Us,
    ...memory,
  };
}

async function measureIdle(one: Case, deployment: Deployment, connections: number): Promise<Run> {
  const holder = fileURLToPath(new URL('hold-connections.js', import.meta.url));
  const { address, port } = targetOf(one, deployment);
  const argv = [process.execPath, holder, address, String(port), String(connections)];
  const [file, args] = command({ argv, namespace: deployment.client, core: loadCore });
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'], signal: interruption.signal });
  const ended = once(child, 'exit');
  const held = await Promise.race([once(child.stdout, 'data').then(() => true), ended.then(() => false)]);
  if (!held) throw new Error(`${connections} idle connections could not be held`);
  const memory = measureMemory(deployment.roots, deployment.namespaces);
  child.stdin.end();
  const [code] = await ended;
  if (code !== 0) throw new Error('an idle connection was closed while it was held');
  const none = { cpuUsPerUnit: null, coreUsPerUnit: null, machineUsPerUnit: null };
  return { ...none, unitsPerSecond: null, p50Us: null, p99Us: null, ...memory };
}

/**
 * One that goes on as a TLS connection of its own is open four times in weft's one proxy: more of them would need more
 * descriptors than a process may have where limits cannot be raised (20,000).
 */
const mostOpaque = 4_000;

function idleConnections({ load: kind }: Case, { idleConnections: wanted }: MeasureOptions): number {
  return kind === 'idle-opaque' ? Math.min(wanted, mostOpaque) : wanted;
}

/** Measures a deployed subject once, after a warm-up; throws where anything went wrong meanwhile. */
export async function measure(one: Case, deployment: Deployment, options: MeasureOptions): Promise<Run> {
  deployment.assertRunning();
  const result =
    one.load === 'idle' || one.load === 'idle-opaque'
      ? await measureIdle(one, deployment, idleConnections(one, options))
      : await measureLoad(one, deployment, options);
  deployment.assertRunning();
  return result;
}
