/** `weft stat`: two looks at the proxies' counters, and what lies between. */
import { setTimeout as delay } from 'node:timers/promises';
import type { MeshSource } from '../mesh-source.js';
import {
  namespaceOptions,
  type ProgramName,
  placeOptions,
  type Shown,
  shown,
  usageWithNamespace,
  wantsJson,
  withScope,
} from '../open-scope.js';
import { flag, parseOptions, text } from '../parse-options.js';
import { UsageError } from '../usage-error.js';
import { readMetrics, type Sample } from './read-metrics.js';
import { requireAnswers } from './require-answers.js';
import { formatStat, groupings, tabulateTraffic } from './show-stat.js';

export const statUsage = (
  program: ProgramName,
) => `usage: ${program} stat [workloads|services|routes|edges] [options]

Success rate, requests per second and latency over an interval: of workloads as they answered, of services, or of routes
as they were called; edges (the default): by source, destination and route.
  --interval N    seconds between the two looks, 0.1 to 3600 (default 2)
  --total         since the proxies began, in one look; rps is then left at 0
${usageWithNamespace}`;

export async function showStat(args: readonly string[], program: ProgramName): Promise<Shown> {
  const options = {
    ...placeOptions,
    ...namespaceOptions,
    interval: { ...text, default: '2' },
    total: flag,
  } as const;
  const { values, positionals } = parseOptions(args, options, [0, 1]);
  const json = wantsJson(values);
  const [by = 'edges'] = positionals;
  if (!Object.hasOwn(groupings, by)) {
    throw new UsageError(`${by}: one of ${Object.keys(groupings).join(', ')} is needed`);
  }
  const grouping = groupings[by as keyof typeof groupings];
  const seconds = Number(values.interval);
  if (!(seconds >= 0.1 && seconds <= 3600)) {
    throw new UsageError(`--interval ${values.interval}: 0.1 to 3600 seconds are needed`);
  }
  return withScope(program, values, async ({ source, namespace }) => {
    const look = await (values.total ? lookOnce(source) : lookTwice(source, seconds));
    const rows = tabulateTraffic(look.before, look.after, look.seconds, grouping, namespace);
    const well = look.warnings.length === 0;
    return shown(json, rows, () => formatStat(rows, grouping), well, look.warnings);
  });
}

interface Look {
  readonly before: readonly Sample[];
  readonly after: readonly Sample[];
  readonly seconds: number;
  readonly warnings: readonly string[];
}

async function lookOnce(source: MeshSource): Promise<Look> {
  const { samples, warnings } = await scrape(source);
  return { before: [], after: [...samples.values()].flat(), seconds: Number.POSITIVE_INFINITY, warnings };
}

/** Proxies that answered only once are left out: what they had counted before is not known. */
async function lookTwice(source: MeshSource, seconds: number): Promise<Look> {
  const first = await scrape(source);
  const begun = performance.now();
  await delay(seconds * 1000);
  const second = await scrape(source);
  const both = [...second.samples.keys()].filter((name) => first.samples.has(name));
  const pick = (samples: ReadonlyMap<string, readonly Sample[]>) =>
    both.flatMap((name) => samples.get(name) ?? []);
  return {
    before: pick(first.samples),
    after: pick(second.samples),
    seconds: (performance.now() - begun) / 1000,
    warnings: [...new Set([...first.warnings, ...second.warnings])],
  };
}

/** The samples of each proxy, with its name as a label: series of two nodes are two. */
async function scrape(source: MeshSource): Promise<{
  readonly samples: ReadonlyMap<string, readonly Sample[]>;
  readonly warnings: readonly string[];
}> {
  const asked = await source.readProxies('/metrics');
  const { warnings } = requireAnswers(asked);
  const samples = asked.flatMap(({ name, ...one }) => {
    if (!one.ok) return [];
    const own = readMetrics(one.answer).map((sample) => ({
      ...sample,
      labels: { ...sample.labels, node: name },
    }));
    return [[name, own] as const];
  });
  return { samples: new Map(samples), warnings };
}
