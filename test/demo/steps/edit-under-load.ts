import { awaitEvent } from '../../netns/harness/await-event.js';
import { Load } from '../../netns/harness/load.js';
import { countRequests } from '../../netns/harness/services.js';
import type { Demo } from '../demo.js';

const edits = 100;
const leastRequests = 200_000;
const liveWithinMs = 1_000;

/** Step 7: one hundred edits while wrk, which never retries, keeps 32 connections busy. */
export async function editUnderLoad(demo: Demo): Promise<void> {
  const { lab, narrator, shop } = demo;
  const url = 'http://10.97.0.1/catalog';
  narrator.command(`ip netns exec ${lab.pod('web').netns} wrk -t1 -c32 -H 'Host: shop.example' ${url}`);
  const before = await answered(demo);
  const load = new Load(lab.pod('web'), { url, connections: 32, headers: { Host: 'shop.example' } });
  await awaitEvent('the load to run', 10_000, async () => (await answered(demo)) > before + 1_000);
  const countersBefore = load.tcpCounters();

  const original = { routes: shop.read('routes.yaml'), policies: shop.read('policies.yaml') };
  const latencies: number[] = [];
  for (let edit = 1; edit <= edits; edit += 1) {
    latencies.push(await applyEdit(demo, original, edit));
    if (edit % 20 === 0) process.stderr.write(`   ${edit} of ${edits} edits are live\n`);
  }
  shop.write('routes.yaml', original.routes);
  shop.write('policies.yaml', original.policies);
  await awaitEvent(`${leastRequests} requests`, 120_000, async () => {
    if (!load.running) throw new Error('wrk ended early');
    return (await answered(demo)) - before >= leastRequests + 2_000;
  });
  const resets = (load.tcpCounters().EstabResets ?? Number.NaN) - (countersBefore.EstabResets ?? Number.NaN);
  const result = await load.stop();

  narrator.seen(result.report);
  const sorted = latencies.toSorted((a, b) => a - b);
  const [median = Number.NaN, slowest = Number.NaN] = [sorted[edits / 2], sorted.at(-1)];
  narrator.say(`an edit was live after ${median.toFixed(0)} ms (median), ${slowest.toFixed(0)} ms (slowest)`);
  narrator.check(
    `${edits} edits, each live within a second`,
    latencies.length === edits && slowest <= liveWithinMs,
  );
  narrator.check(
    `0 failed of ${result.requests.toLocaleString('en')} requests`,
    result.socketErrors === 0 && result.badStatuses === 0 && result.requests >= leastRequests,
  );
  narrator.check('0 resets on the client', resets === 0, `${resets}`);
}

/**
 * Changes the answer's header and the canary's share, every tenth time a policy too; returns the milliseconds until a
 * request sees it.
 */
async function applyEdit(
  { lab, shop }: Demo,
  original: { readonly routes: string; readonly policies: string },
  edit: number,
): Promise<number> {
  const share = edit % 2 === 0 ? 10 : 20;
  const routes = original.routes
    .replace('value: weft', `value: edit-${edit}`)
    .replace('weight: 90', `weight: ${100 - share}`)
    .replace('weight: 10', `weight: ${share}`);
  if (edit % 10 === 0) {
    const tightened = original.policies.replace('paths: [/cart/*]', `paths: [/cart/*, /edit-${edit}/*]`);
    shop.write('policies.yaml', tightened);
  }
  const start = performance.now();
  shop.write('routes.yaml', routes);
  const probe = [
    'curl',
    '-sS',
    '-o',
    '/dev/null',
    '-D',
    '-',
    '-H',
    'Host: shop.example',
    'http://10.97.0.1/catalog',
  ];
  await awaitEvent(`edit ${edit} to be live`, 10_000, async () =>
    (await lab.pod('web').run(probe)).toLowerCase().includes(`x-served-by: edit-${edit}\r`),
  );
  return performance.now() - start;
}

async function answered({ shop }: Demo): Promise<number> {
  return (
    (await countRequests(shop.service('catalog-v1'))) + (await countRequests(shop.service('catalog-v2')))
  );
}
