/**
 * `make bench-neighbours`: how long a quiet pod's requests take alone and beside each kind of noise on the same proxy. What
 * else runs on the machine can only add to a figure, so the least of each counts, over rounds that take turns. As a control
 * the same is measured between two pods that no proxy serves, while the noise loads the proxy: what is late there is late
 * for want of the clients' processor. Prints a table and writes test/bench/out/neighbours.json.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import {
  type NoiseKind,
  NoisyNeighbour,
  noiseConnections,
  type Way,
} from '../netns/harness/noisy-neighbour.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '8' },
    seconds: { type: 'string', default: '2' },
    noise: { type: 'string', default: Object.keys(noiseConnections).join(',') },
  },
});
const rounds = countOf('rounds', values.rounds);
/** Requests a second, and in all of one measurement. */
const perSecond = 100;
const requests = perSecond * countOf('seconds', values.seconds);
const noises = values.noise.split(',').map(noiseOf);

const ways: readonly Way[] = ['mesh', 'direct'];

function countOf(name: string, text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1) return count;
  throw new Error(`--${name} must be a whole number from 1, not ${text}`);
}

function noiseOf(text: string): NoiseKind {
  if (Object.hasOwn(noiseConnections, text)) return text as NoiseKind;
  throw new Error(`--noise: there is no ${text}, but ${Object.keys(noiseConnections).join(', ')}`);
}

/** 99th percentiles in milliseconds, one a round. */
interface Percentiles {
  readonly alone: number[];
  readonly beside: number[];
}

interface Figures extends Readonly<Record<Way, Percentiles>> {
  readonly noise: NoiseKind;
}

async function measure(pods: NoisyNeighbour, noise: NoiseKind): Promise<Figures> {
  const figures: Figures = {
    noise,
    mesh: { alone: [], beside: [] },
    direct: { alone: [], beside: [] },
  };
  const runBoth = async (state: keyof Percentiles): Promise<void> => {
    for (const way of ways) figures[way][state].push((await pods.runQuiet(requests, perSecond, way)).p99Ms);
  };
  for (let round = 1; round <= rounds; round += 1) {
    await runBoth('alone');
    const end = await pods.start(noise);
    await runBoth('beside');
    await end();
    const text = ways.map((way) => {
      const [alone, beside] = [figures[way].alone.at(-1), figures[way].beside.at(-1)];
      return `${way} ${alone?.toFixed(2)} ms alone, ${beside?.toFixed(2)} ms beside`;
    });
    process.stderr.write(
      `${noise} ${round}/${rounds}, ${noiseConnections[noise]} connections: p99 ${text.join('; ')}\n`,
    );
  }
  return figures;
}

/** The least of either, and how many times the one is the other. */
function cells({ alone, beside }: Percentiles): string {
  const [least, most] = [Math.min(...alone), Math.min(...beside)];
  return [
    least.toFixed(2).padStart(8),
    most.toFixed(2).padStart(9),
    (most / least).toFixed(1).padStart(5),
  ].join('  ');
}

const pods = await NoisyNeighbour.open();
try {
  const all: Figures[] = [];
  for (const noise of noises) all.push(await measure(pods, noise));
  process.stdout.write('               through the proxy           without it, the same noise on it\n');
  process.stdout.write('noise          alone ms  beside ms  times  alone ms  beside ms  times\n');
  for (const { noise, mesh, direct } of all)
    process.stdout.write(`${noise.padEnd(13)}  ${cells(mesh)}  ${cells(direct)}\n`);
  mkdirSync('test/bench/out', { recursive: true });
  writeFileSync('test/bench/out/neighbours.json', `${JSON.stringify(all, null, 2)}\n`);
} finally {
  await pods.close();
}
