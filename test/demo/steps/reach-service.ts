import { fixture, python } from '../../netns/harness/services.js';
import { awaitLine } from '../../netns/harness/weft.js';
import { type Demo, showCommand } from '../demo.js';

/** Step 1: an address that no machine has is answered, and both ends see each other's true address. */
export async function reachService(demo: Demo): Promise<void> {
  const { lab, narrator, shop } = demo;
  const answer = await showCommand(demo, 'web', ['curl', '-sS', 'http://10.97.0.20/cart?from=web']);
  narrator.check('10.97.0.20 exists nowhere, and the cart answers', answer.stdout.startsWith('cart: GET'));

  const argv = [python, fixture('http-client.py'), 'plain', '10.97.0.20', '80', '/cart?from=python'];
  const seen = await showCommand(demo, 'web', argv, {
    as: 'python3 http-client.py plain 10.97.0.20 80 /cart',
  });
  const { peer } = JSON.parse(seen.stdout) as { readonly peer: readonly [string, number] };
  narrator.check(
    "the client's getpeername is the address that it asked for",
    peer[0] === '10.97.0.20' && peer[1] === 80,
    String(peer),
  );

  const log = shop.service('cart').accessLog;
  narrator.command(`tail ${log}`);
  const line = await awaitLine(log, /from=python/);
  narrator.seen(line);
  const client = lab.pod('web').ipv4;
  narrator.check(
    `the server's own log names the real client, ${client}`,
    line.startsWith(`${client} `),
    line,
  );
}
