/** `make shop`: the shop in the mesh, to play with, until Ctrl-C. */
import { Lab } from '../netns/harness/lab.js';
import { Shop } from '../netns/harness/shop.js';
import { Weft } from '../netns/harness/weft.js';

const say = (text: string) => process.stdout.write(`${text}\n`);

const lab = await Lab.open('shop');
const interrupted = new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
});
try {
  const shop = await Shop.create(lab);
  await shop.startServers();
  const weft = await Weft.start(lab, { manifests: shop.manifests });
  say(`The shop is in the mesh, and its pods speak mutual TLS. In another terminal (root):

  ip netns exec shop-web curl -i http://10.97.0.20/cart
  ip netns exec shop-web curl -i -H 'Host: shop.example' http://10.97.0.1/catalog
  ip netns exec shop-batch curl -i -X POST http://10.97.0.20/cart/items
  ip netns exec shop-batch redis-cli -h 10.97.0.40 ping
  scripts/weft edges --state ${weft.state}

Edit a manifest in ${shop.manifests}: it is live within a second, and what is wrong in it is told here.
Ctrl-C removes everything.`);
  weft.process.follow((text) => process.stderr.write(text));
  await Promise.race([interrupted, weft.process.exited]);
  await weft.stop();
} finally {
  say('removing the shop');
  await lab.close();
}
