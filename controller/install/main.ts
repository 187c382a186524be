/**
 * What Helm's hooks run, with a service account that lives only as long as they do.
 * usage: main authority --namespace N --secret NAME --roots NAME --trust-domain NAME [--given]
 *        main take-out --namespace N --mesh NAME --daemon-set NAME [--leftover PATH]...
 */
import { parseArgs } from 'node:util';
import { describeError } from '../status/log.js';
import { createAuthority } from './create-authority.js';
import { HookApi } from './hook-api.js';
import { takeOut } from './take-out.js';

const authorityMs = 60_000;
const stepMs = 120_000;
const answerMs = 5_000;
const metricsPort = 15020;

const text = { type: 'string' } as const;
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    namespace: text,
    secret: text,
    roots: text,
    'trust-domain': text,
    given: { type: 'boolean', default: false },
    mesh: text,
    'daemon-set': text,
    leftover: { type: 'string', multiple: true, default: [] },
  },
});

function required(name: 'namespace' | 'secret' | 'roots' | 'trust-domain' | 'mesh' | 'daemon-set'): string {
  const value = values[name];
  if (value === undefined || value === '') throw new Error(`--${name} is missing`);
  return value;
}

/** What a node's proxy says at /ready, also while it is not ready. */
async function countEnrolled(address: string): Promise<number> {
  if (address === '') throw new Error('its pod has no address');
  const host = address.includes(':') ? `[${address}]` : address;
  const answer = await fetch(`http://${host}:${metricsPort}/ready`, {
    signal: AbortSignal.timeout(answerMs),
  });
  const { workloadsWanted } = (await answer.json()) as { workloadsWanted?: unknown };
  if (typeof workloadsWanted !== 'number') throw new Error('its answer names no number of pods');
  return workloadsWanted;
}

async function run(): Promise<void> {
  const say = (message: string) => process.stdout.write(`${message}\n`);
  const namespace = required('namespace');
  switch (positionals[0]) {
    case 'authority': {
      const objects = {
        namespace,
        secret: required('secret'),
        roots: required('roots'),
        trustDomain: required('trust-domain'),
        given: values.given,
      };
      await createAuthority(HookApi.inCluster(authorityMs), objects, Date.now());
      say(`Secret ${objects.secret} and ConfigMap ${objects.roots} are there`);
      return;
    }
    case 'take-out': {
      const objects = {
        namespace,
        mesh: required('mesh'),
        daemonSet: required('daemon-set'),
        leftovers: values.leftover,
      };
      const api = HookApi.inCluster(2 * stepMs + authorityMs);
      await takeOut({ api, countEnrolled, say, lookMs: 1_000, stepMs }, objects);
      return;
    }
    default:
      throw new Error(`${positionals[0] ?? 'nothing'} is not known: authority or take-out`);
  }
}

try {
  await run();
  process.exit(0);
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exit(1);
}
