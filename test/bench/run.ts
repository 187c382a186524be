/**
 * `make bench`: measures weft, haproxy, nginx and envoy doing the same work, in interleaved rounds. Prints a table,
 * writes test/bench/out/results.json, and fails only where something could not be measured.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect, parseArgs } from 'node:util';
import { type Case, selectCases } from './cases.js';
import {
  type Deployment,
  deployDirect,
  deployPeer,
  type SubjectName,
  startBackends,
  type Way,
} from './deployments.js';
import { type MeasureOptions, measure, type Run } from './measure.js';
import { createNetwork, type Network, removeNetwork } from './network.js';
import { probeTarget } from './probe.js';
import { interruption, raisePriority } from './processes.js';
import { type Result, summarize, table } from './report.js';
import { authorizationProbes, backendPorts, routeProbes, untrustedProbes } from './rules.js';
import { envoy } from './subjects/envoy.js';
import { haproxy } from './subjects/haproxy.js';
import { nginx } from './subjects/nginx.js';
import { deployWeft } from './subjects/weft.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    cases: { type: 'string', default: '' },
    subjects: { type: 'string', default: '' },
    rate: { type: 'string', default: '6000' },
    idle: { type: 'string', default: '10000' },
    keep: { type: 'boolean', default: false },
  },
});

const say = (text: string) => process.stderr.write(`${text}\n`);

function deploy(subject: SubjectName, way: Way, network: Network, directory: string): Deployment {
  switch (subject) {
    case 'weft':
      return deployWeft(way, network, directory);
    case 'haproxy':
      return deployPeer(haproxy, way, network, directory);
    case 'nginx':
      return deployPeer(nginx, way, network, directory);
    case 'envoy':
      return deployPeer(envoy, way, network, directory);
    case 'direct':
      return deployDirect(way, network);
  }
}

/** Every rule that a way has, on one subject. */
async function probeDeployment({ subject, way, client, target, untrusted }: Deployment): Promise<void> {
  if (subject === 'direct') return;
  const routes = way === 'inbound' ? [] : routeProbes(way !== 'http2');
  const authorization = authorizationProbes(way === 'inbound' ? backendPorts[0] : null);
  await probeTarget(client, target, [...authorization, ...routes]);
  if (untrusted !== null) await probeTarget(untrusted.namespace, untrusted.target, untrustedProbes());
}

/** A subject that serves and follows the rules; null, with the failure noted, where it does not. */
async function deployProven(name: SubjectName, way: Way, context: Context): Promise<Deployment | null> {
  let deployment: Deployment | null = null;
  try {
    deployment = deploy(name, way, context.network, context.options.directory);
    await deployment.ready();
    await probeDeployment(deployment);
    deployment.assertRunning();
    say(`${way}: ${name} follows the rules`);
    return deployment;
  } catch (error) {
    if (deployment !== null) await stopAll([deployment], context);
    interruption.signal.throwIfAborted();
    context.fail(`${name} does not follow the rules of ${way}`, error);
    return null;
  }
}

/** All cases of one way: the subjects are started once and take turns. */
async function measureWay(way: Way, selected: readonly Case[], context: Context): Promise<Result[]> {
  const names = [...new Set(selected.flatMap((one) => one.subjects))];
  const deployments: Deployment[] = [];
  const results: Result[] = [];
  try {
    for (const name of names.filter((one) => context.wanted.includes(one))) {
      const deployment = await deployProven(name, way, context);
      if (deployment !== null) deployments.push(deployment);
    }
    for (const one of selected) {
      const subjects = deployments.filter(({ subject }) => one.subjects.includes(subject));
      results.push(...(await measureCase(one, subjects, context)));
    }
  } finally {
    await stopAll(deployments, context);
  }
  return results;
}

/** Stops them; one that had ended before, or cannot end in order, is a failure too. */
async function stopAll(deployments: readonly Deployment[], context: Context): Promise<void> {
  for (const deployment of deployments) {
    try {
      deployment.assertRunning();
    } catch (error) {
      context.fail(`${deployment.subject} did not live to the end`, error);
    }
    await deployment
      .stop()
      .catch((error: unknown) => context.fail(`${deployment.subject} did not stop`, error));
  }
}

/** Rounds A B C D, A B C D, …: what drifts on the machine drifts for all alike. A subject that fails is left out. */
async function measureCase(
  one: Case,
  subjects: readonly Deployment[],
  { rounds, options, fail }: Context,
): Promise<Result[]> {
  const runs = new Map<Deployment, Run[]>(subjects.map((deployment) => [deployment, []]));
  for (let round = 1; round <= rounds; round += 1) {
    for (const [deployment, list] of runs) {
      const { subject } = deployment;
      try {
        const run = await measure(one, deployment, options);
        list.push(run);
        const cpu = run.cpuUsPerUnit?.toFixed(1) ?? '-';
        const perSecond = run.unitsPerSecond?.toFixed(0) ?? '-';
        say(`${one.name} ${round}/${rounds} ${subject}: ${cpu} µs, ${perSecond}/s`);
      } catch (error) {
        interruption.signal.throwIfAborted();
        fail(`${subject} could not be measured in ${one.name}`, error);
        runs.delete(deployment);
      }
    }
  }
  const results = [...runs].map(([{ subject }, list]) => summarize(one, subject, list));
  process.stdout.write(`${table(one, results)}\n`);
  return results;
}

interface Context {
  readonly network: Network;
  readonly options: MeasureOptions;
  readonly rounds: number;
  readonly wanted: readonly string[];
  /** Notes that something could not be measured. */
  fail(what: string, error: unknown): void;
}

function positive(text: string, name: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`${name} must be a whole number above 0, not ${text}`);
}

function fail(what: string, error: unknown): void {
  process.exitCode = 1;
  say(`${what}: ${inspect(error)}`);
}

async function main(): Promise<void> {
  raisePriority(process.pid); // and with it of the load, which is part of this session
  const selected = selectCases(values.cases);
  const rounds = positive(values.rounds, 'ROUNDS');
  const directory = mkdtempSync(join(tmpdir(), 'weft-b-'));
  chmodSync(directory, 0o755); // what a subject runs as another user must get in
  const options: MeasureOptions = {
    seconds: positive(values.seconds, 'SECONDS'),
    warmUpSeconds: 2,
    rate: positive(values.rate, 'RATE'),
    idleConnections: positive(values.idle, 'IDLE'),
    directory,
  };
  const every: readonly string[] = selected.flatMap((one) => one.subjects);
  const wanted = values.subjects === '' ? every : values.subjects.split(',');
  const network = createNetwork();
  const backends = startBackends(network, directory);
  const results: Result[] = [];
  try {
    for (const way of new Set(selected.map((one) => one.way))) {
      const ofWay = selected.filter((one) => one.way === way);
      results.push(...(await measureWay(way, ofWay, { network, options, rounds, wanted, fail })));
    }
  } finally {
    for (const backend of backends) await backend.stop();
    removeNetwork();
    if (!values.keep) rmSync(directory, { recursive: true });
    mkdirSync('test/bench/out', { recursive: true });
    writeFileSync('test/bench/out/results.json', `${JSON.stringify(results, null, 1)}\n`);
  }
  say('wrote test/bench/out/results.json');
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort());
await main();
