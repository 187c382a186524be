/**
 * Runs inside a namespace: sends the probes that stand on standard input to a target and prints what came back.
 * Waits for the target to accept connections first, and for its first probe to be answered as it must be: a subject
 * may still be loading its configuration.
 */
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import type { Endpoint } from './hop.js';
import type { Probe } from './rules.js';

/** What stands on standard input. */
export interface ProbeJob {
  readonly target: Endpoint;
  readonly probes: readonly Probe[];
  readonly deadlineMs: number;
}

/** Sentences about every probe that was answered wrongly; empty where all is right. */
export type ProbeFindings = readonly string[];

/** For one answer: what waits longer is asked again on another connection. */
const answerMs = 1000;

const agent = new Agent({ keepAlive: true, maxSockets: 4 });

interface Answer {
  readonly status: number;
  readonly backend: number | null;
}

function send(target: Endpoint, probe: Probe): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method, path } = probe;
    const headers = { ...probe.headers, host: probe.host };
    const signal = AbortSignal.timeout(answerMs);
    const outgoing = request(
      { agent, host: target.address, port: target.port, method, path, headers, signal },
      (response) => {
        const backend = response.headers['x-backend'];
        response.on('error', reject).on('end', () => {
          resolve({
            status: response.statusCode ?? 0,
            backend: backend === undefined ? null : Number(backend),
          });
        });
        response.resume();
      },
    );
    outgoing.on('error', reject).end();
  });
}

async function check(target: Endpoint, probe: Probe): Promise<string | null> {
  const name = `${probe.method} ${probe.host}${probe.path} ${JSON.stringify(probe.headers)}`;
  try {
    const { status, backend } = await send(target, probe);
    if (status === probe.status && (probe.backend === null || backend === probe.backend)) return null;
    return `${name}: ${status} from ${backend}, must be ${probe.status} from ${probe.backend}`;
  } catch (error) {
    return `${name}: ${String(error)}`;
  }
}

const job = JSON.parse(await text(process.stdin)) as ProbeJob;
const first = job.probes[0];
if (first === undefined) throw new Error('no probes given');
const end = Date.now() + job.deadlineMs;
while ((await check(job.target, first)) !== null && Date.now() < end) await pause(50);
const findings: string[] = [];
for (const probe of job.probes) {
  const finding = await check(job.target, probe);
  if (finding !== null) findings.push(finding);
}
agent.destroy();
process.stdout.write(JSON.stringify(findings satisfies ProbeFindings));
