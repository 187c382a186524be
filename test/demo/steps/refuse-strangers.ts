import { parseMetrics, sumSamples } from '../../netns/harness/metrics.js';
import { type Demo, showCommand, showWeft } from '../demo.js';

/** Step 4: a request refused by who, how and where; a connection refused by the kernel. */
export async function refuseStrangers(demo: Demo): Promise<void> {
  const { narrator, weft, second } = demo;
  const post = ['curl', '-sSi', '-X', 'POST', '-d', 'item=1', 'http://10.97.0.20/cart/items'];
  const refused = await showCommand(demo, 'batch', post);
  narrator.check(
    'batch may not POST to the cart: 403',
    refused.stdout.startsWith('HTTP/1.1 403 '),
    refused.stdout,
  );
  narrator.check('the answer gives the reason, policy_denied', refused.stdout.includes('policy_denied'));
  const why = await showWeft(demo, 'why', 'shop/batch', '10.97.0.20:80', 'POST', '/cart/items');
  narrator.check('and weft why names the policy', why.code === 1 && why.stdout.includes('batch-reads-only'));
  const read = await showCommand(demo, 'batch', ['curl', '-sS', 'http://10.97.0.20/cart/items']);
  narrator.check('batch may read the cart', read.stdout.startsWith('cart: GET'), read.stdout);
  const web = await showCommand(demo, 'web', post);
  narrator.check('web may POST to it', /^HTTP\/1.1 200 /.test(web.stdout), web.stdout);

  const redis = await showCommand(demo, 'batch', ['redis-cli', '-h', '10.97.0.40', 'ping']);
  narrator.check(
    'batch may not reach the stock: the kernel refuses the connection (EPERM)',
    `${redis.stdout}${redis.stderr}`.includes('Operation not permitted'),
  );
  narrator.command('curl --unix-socket admin.sock http://weft/metrics | grep refusals   # on each node');
  // The kernel refuses where the caller is, the pipeline where the workload is that a policy protects.
  for (const [sentence, node, layer, reason] of [
    ['the refusal in the kernel has a counter, on node-a', weft, 'kernel', 'kernel_l4_denied'],
    ['the refused request has a counter, on node-b', second, 'pipeline', 'policy_denied'],
  ] as const) {
    const text = await node.metricsText();
    const counters = text.split('\n').filter((line) => line.startsWith('weft_refusals_total'));
    narrator.seen(counters.filter((line) => !line.endsWith(' 0')).join('\n'));
    const counted = sumSamples(await parseMetrics(text), 'weft_refusals_total', { layer, reason });
    narrator.check(sentence, counted > 0);
  }
}
