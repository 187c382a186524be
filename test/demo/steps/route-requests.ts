import { type Demo, showCommand } from '../demo.js';

const front = 'http://10.97.0.1';

/** Step 3: host, path, header, method, query; canary; header edit, rewrite, redirect; no match. */
export async function routeRequests(demo: Demo): Promise<void> {
  const { narrator } = demo;
  const ask = async (...args: string[]) =>
    (await showCommand(demo, 'web', ['curl', '-sS', '-H', 'Host: shop.example', ...args])).stdout;
  const expectStart = (what: string, text: string, start: string) =>
    narrator.check(what, text.startsWith(start), text);

  const offers = await showCommand(demo, 'web', [
    'curl',
    '-sS',
    '-H',
    'Host: offers.shop.example',
    `${front}/`,
  ]);
  expectStart('by host: offers.shop.example goes to catalog-v2', offers.stdout, 'catalog-v2:');
  expectStart('by path: /cart goes to the cart', await ask(`${front}/cart`), 'cart:');
  const preview = await ask('-H', 'x-preview: yes', `${front}/catalog`);
  expectStart('by header: x-preview goes to catalog-v2', preview, 'catalog-v2:');
  const put = await ask('-X', 'PUT', `${front}/catalog/1`);
  expectStart('by method: PUT goes to catalog-v1', put, 'catalog-v1: PUT');
  const next = await ask(`${front}/catalog?edition=next`);
  expectStart('by query: edition=next goes to catalog-v2', next, 'catalog-v2:');
  await splitCanary(demo);
  await editRequests(demo);
}

/** 2,000 requests: with a share of one tenth the count lies within 200 ± 60 but once in 100,000 runs (4.5 sigma). */
async function splitCanary({ lab, narrator }: Demo): Promise<void> {
  const argv = ['curl', '-sS', '-H', 'Host: shop.example', `${front}/catalog?n=[1-2000]`];
  narrator.command(
    `ip netns exec ${lab.pod('web').netns} ${argv.slice(0, 2).join(' ')} … '${argv.at(-1)}' | cut -d: -f1 | sort | uniq -c`,
  );
  const lines = (await lab.pod('web').run(argv, { timeoutMs: 30_000 })).split('\n');
  const count = (name: string) => lines.filter((line) => line.startsWith(`${name}:`)).length;
  const [v1, v2] = [count('catalog-v1'), count('catalog-v2')];
  narrator.seen(`${String(v1).padStart(7)} catalog-v1\n${String(v2).padStart(7)} catalog-v2`);
  narrator.check('canary: 90 to 10 over 2,000 requests', v1 + v2 === 2000 && v2 > 140 && v2 < 260);
}

async function editRequests(demo: Demo): Promise<void> {
  const { narrator } = demo;
  const edited = await showCommand(demo, 'web', [
    ...['curl', '-sSi', '-H', 'Host: shop.example', '-H', 'x-internal: secret', `${front}/catalog`],
  ]);
  narrator.check(
    'header edit: the server sees x-shop, and not x-internal',
    /x-shop=storefront x-internal=\r?\n/.test(edited.stdout),
  );
  narrator.check(
    'header edit: the client sees x-served-by: weft',
    /^x-served-by: weft\r$/im.test(edited.stdout),
  );
  const file = await showCommand(demo, 'web', [
    'curl',
    '-sS',
    '-H',
    'Host: shop.example',
    `${front}/static/hello.txt`,
  ]);
  narrator.check(
    'path rewrite: /static/hello.txt is /hello.txt to the server',
    file.stdout === 'hello from a file\n',
  );
  const moved = await showCommand(demo, 'web', [
    'curl',
    '-sSi',
    '-H',
    'Host: shop.example',
    `${front}/old-catalog`,
  ]);
  narrator.check(
    'redirect: /old-catalog is 301 to /catalog',
    /^HTTP\/1.1 301 /.test(moved.stdout) &&
      /^location: http:\/\/shop\.example(:80)?\/catalog\r$/im.test(moved.stdout),
  );
  const nowhere = await showCommand(demo, 'web', [
    'curl',
    '-sSi',
    '-H',
    'Host: shop.example',
    `${front}/nowhere`,
  ]);
  narrator.check(
    'no match: 404, and the answer says why',
    nowhere.stdout.startsWith('HTTP/1.1 404 ') && nowhere.stdout.includes('no_matching_route'),
  );
}
