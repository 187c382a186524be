import { Lab } from './harness/lab.js';
import { Shop } from './harness/shop.js';
import { Weft } from './harness/weft.js';

const front = 'http://10.97.0.1';

describe('the routes of the shop', () => {
  let lab: Lab;
  let weft: Weft;

  beforeAll(async () => {
    lab = await Lab.open();
    const shop = await Shop.create(lab);
    await shop.startServers();
    weft = await Weft.start(lab, { manifests: shop.manifests });
  });
  afterAll(async () => {
    await weft?.stop();
    await lab.close();
  });

  const ask = (...args: string[]) =>
    lab.pod('web').run(['curl', '-sSi', '-H', 'Host: shop.example', ...args]);

  test.each([
    ['path', 'cart', ['/cart']],
    ['path below', 'cart', ['/cart/items/1?x=1']],
    ['header', 'catalog-v2', ['/catalog', '-H', 'x-preview: yes']],
    ['method', 'catalog-v1', ['/catalog/1', '-X', 'PUT']],
    ['query', 'catalog-v2', ['/catalog?edition=next']],
  ])('by %s to %s', async (_, pod, [path = '', ...args]) => {
    expect(await ask(`${front}${path}`, ...args)).toContain(`\r\n\r\n${pod}: `);
  });

  test('by host', async () => {
    const offers = await lab.pod('web').run(['curl', '-sS', '-H', 'Host: offers.shop.example', `${front}/`]);
    expect(offers).toMatch(/^catalog-v2: /);
  });

  test.each(['/catalogue', '/', '/Cart', '/cartx'])(
    '%s matches nothing: 404 with its reason',
    async (path) => {
      const answer = await ask(`${front}${path}`);
      expect(answer).toMatch(/^HTTP\/1\.1 404 /);
      expect(answer).toMatch(/weft-reason: no_matching_route/i);
    },
  );

  test('another host is no match', async () => {
    const answer = await lab.pod('web').run(['curl', '-sSi', '-H', 'Host: unknown.example', `${front}/cart`]);
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
  });

  test('headers are edited on the way in and out', async () => {
    const answer = await ask('-H', 'x-internal: secret', '-H', 'x-shop: forged', `${front}/catalog`);
    expect(answer).toMatch(/x-shop=storefront x-internal=\n$/);
    expect(answer).toMatch(/^x-served-by: weft\r$/im);
  });

  test('a path prefix is rewritten, the query kept', async () => {
    expect(await ask(`${front}/static/hello.txt?v=1`)).toContain('hello from a file');
  });

  test('a redirect names the new place', async () => {
    const answer = await ask(`${front}/old-catalog`);
    expect(answer).toMatch(/^HTTP\/1\.1 301 /);
    expect(answer).toMatch(/^location: http:\/\/shop\.example(:80)?\/catalog\r$/im);
  });

  test('the canary gets its tenth of 2,000 requests', async () => {
    const all = await lab
      .pod('web')
      .run(['curl', '-sS', '-H', 'Host: shop.example', `${front}/catalog?n=[1-2000]`], {
        timeoutMs: 60_000,
      });
    const v2 = all.split('\n').filter((line) => line.startsWith('catalog-v2:')).length;
    const v1 = all.split('\n').filter((line) => line.startsWith('catalog-v1:')).length;
    expect(v1 + v2).toBe(2000);
    // 4.5 sigma of a binomial with one tenth.
    expect(Math.abs(v2 - 200)).toBeLessThanOrEqual(60);
  });

  test('without a route both versions share the requests', async () => {
    const all = await lab
      .pod('web')
      .run(['curl', '-sS', `http://10.97.0.10/?n=[1-200]`], { timeoutMs: 30_000 });
    for (const pod of ['catalog-v1', 'catalog-v2']) {
      expect(all.split('\n').filter((line) => line.startsWith(`${pod}:`)).length).toBeGreaterThan(20);
    }
  });
});
