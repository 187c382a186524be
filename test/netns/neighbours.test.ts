import {
  type NoiseKind,
  NoisyNeighbour,
  noiseConnections,
  type QuietRun,
} from './harness/noisy-neighbour.js';

/** V8's heap and the engine's pools reach their size under the first noise; what a noise could fill has no such bound. */
const mostGrowthKib = 96 * 1024;

/** Of the quiet client. */
const requests = 2_000;

/**
 * How a quiet pod fares beside a noisy one on the same proxy, told by what the noise is given while the quiet client's
 * requests, one after the other, are answered. How long that takes is for a benchmark (test/bench/neighbours.ts); a count
 * says the same of the proxy on a machine that does other things too.
 */
describe('beside a noisy neighbour', () => {
  let pods: NoisyNeighbour;

  beforeAll(async () => {
    pods = await NoisyNeighbour.open();
  });
  afterAll(() => pods?.close());

  /** What the noise is given for each request of the quiet client. */
  async function runBeside(kind: NoiseKind): Promise<Pick<QuietRun, 'noiseRequests' | 'noiseBytes'>> {
    const memory = pods.proxyKib();
    const end = await pods.start(kind);
    const run = await pods.runQuiet(requests, 0);
    await end();
    const { noiseRequests, noiseBytes } = run;
    process.stderr.write(`${kind}: meanwhile ${noiseRequests} requests, ${noiseBytes} bytes\n`);
    expect(pods.proxyKib() - memory).toBeLessThan(mostGrowthKib);
    return { noiseRequests: noiseRequests / requests, noiseBytes: noiseBytes / requests };
  }

  test('that floods with requests, it goes before most of them', async () => {
    const { noiseRequests } = await runBeside('flood');
    expect(noiseRequests).toBeGreaterThan(1);
    expect(noiseRequests).toBeLessThan(noiseConnections.flood / 4);
  });

  test('that moves bulk, it waits for less than a mebibyte', async () => {
    const { noiseBytes } = await runBeside('bulk');
    expect(noiseBytes).toBeGreaterThan(1);
    expect(noiseBytes).toBeLessThan(2 ** 20);
  });

  test('whose readers stall, they get no more than sockets hold', async () => {
    const { noiseBytes } = await runBeside('stalled');
    expect(noiseBytes * requests).toBeLessThan(noiseConnections.stalled * 16 * 2 ** 20);
  });

  test('whose route has a regular expression made to backtrack, it takes turns with it', async () => {
    const { noiseRequests } = await runBeside('backtracking');
    expect(noiseRequests).toBeGreaterThan(1);
    expect(noiseRequests).toBeLessThan(noiseConnections.backtracking);
  });
});
