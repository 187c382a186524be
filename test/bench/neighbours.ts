/**
 * `make bench-neighbours`: how long a quiet pod's requests take alone and beside each kind of noise on the same proxy. What
 * else runs on the machine can only add to a figure, so the least of each counts, over rounds that take turns. Prints a
 * table and writes test/bench/out/neighbours.json.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type NoiseKind, NoisyNeighbour, noiseConnections } from '../netns/harness/noisy-neighbour.js';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '8' } } });
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds must be a whole number from 1');

/** Requests a second, and in all. */
const perSecond = 100;
const requests = 200;

interface Figures {
  readonly noise: NoiseKind;
  /** 99th percentiles in milliseconds, one a round. */
  readonly alone: number[];
  readonly beside: number[];
}

async function measure(pods: NoisyNeighbour, noise: NoiseKind): Promise<Figures> {
  const figures: Figures = { noise, alone: [], beside: [] };
  for (let round = 1; round <= rounds; round += 1) {
    figures.alone.push((await pods.runQuiet(requests, perSecond)).p99Ms);
    const end = await pods.start(noise);
    figures.beside.push((await pods.runQuiet(requests, perSecond)).p99Ms);
    await end();
    const [alone, beside] = [figures.alone.at(-1), figures.beside.at(-1)].map((ms) => ms?.toFixed(2));
    process.stderr.write(
      `${noise} ${round}/${rounds}: p99 ${alone} ms alone, ${beside} ms beside ${noiseConnections[noise]} connections\n`,
    );
  }
  return figures;
}

const pods = await NoisyNeighbour.open();
try {
  const all: Figures[] = [];
  for (const noise of Object.keys(noiseConnections) as NoiseKind[]) all.push(await measure(pods, noise));
  process.stdout.write('noise          alone ms  beside ms  times\n');
  for (const { noise, alone, beside } of all) {
    const [least, most] = [Math.min(...alone), Math.min(...beside)];
    const cells = [
      least.toFixed(2).padStart(8),
      most.toFixed(2).padStart(9),
      (most / least).toFixed(1).padStart(5),
    ];
    process.stdout.write(`${noise.padEnd(13)}  ${cells.join('  ')}\n`);
  }
  mkdirSync('test/bench/out', { recursive: true });
  writeFileSync('test/bench/out/neighbours.json', `${JSON.stringify(all, null, 2)}\n`);
} finally {
  await pods.close();
}
