import { awaitEvent } from './harness/await-event.js';
import { policy } from './harness/manifests.js';
import { Mesh } from './harness/mesh.js';
import { sumSamples } from './harness/metrics.js';
import { startNginx, startRedis } from './harness/services.js';

const cart = 'http://10.97.0.1';
const toCart = { targetRefs: [{ group: '', kind: 'Service', name: 'cart' }] };
/** It speaks of requests, so each is judged by itself; a rule without `http` would refuse the connection. */
const webMayGet = { sources: { serviceAccounts: ['test/web'] }, http: { methods: ['GET'] } };
const fromBatch = { sources: { serviceAccounts: ['test/batch'] } };

describe('authorization', () => {
  let mesh: Mesh;

  beforeAll(async () => {
    mesh = await Mesh.open(
      {
        pods: [
          { name: 'web' },
          { name: 'batch' },
          { name: 'outsider', capture: null },
          { name: 'cart', ports: [{ name: 'http', port: 8080, appProtocol: 'http' }] },
          { name: 'stock', ports: [{ name: 'redis', port: 6379, appProtocol: 'tcp' }] },
        ],
        services: [
          { name: 'cart', host: 1, port: 80, targetPort: 8080, appProtocol: 'http' },
          { name: 'stock', host: 2, port: 6379, targetPort: 6379, appProtocol: 'tcp' },
        ],
      },
      async ({ lab }) => {
        await startNginx(lab.pod('cart'), { port: 8080 });
        await startRedis(lab.pod('stock'));
      },
    );
  });
  afterAll(() => mesh?.close());

  /** Puts the policies in force and waits until a probe sees the wanted status. */
  async function enforce(
    spec: Readonly<Record<string, unknown>>,
    probe: () => Promise<unknown>,
    wanted: unknown,
  ) {
    mesh.write('policies.yaml', [policy('under-test', spec)]);
    await awaitEvent('the policy to be in force', 5_000, async () => (await probe()) === wanted);
  }

  test('DENY by source, method and path: 403 with its name; everything else passes', async () => {
    const rule = { ...fromBatch, http: { methods: ['POST'], paths: ['/cart/*'] } };
    const post = (pod: string, path: string) => mesh.status(pod, '-X', 'POST', `${cart}${path}`);
    await enforce({ ...toCart, action: 'DENY', rules: [rule] }, () => post('batch', '/cart/items'), 403);
    expect(await mesh.curl('batch', '-i', '-X', 'POST', `${cart}/cart/items`)).toMatch(
      /weft-reason: policy_denied/i,
    );
    expect(await mesh.status('batch', `${cart}/cart/items`)).toBe(200);
    expect(await post('batch', '/other')).toBe(200);
    expect(await post('web', '/cart/items')).toBe(200);
  });

  test.each(['/cart/./items', '/cart/x/../items', '/%63art/items'])(
    'another spelling of the path, %s, is denied too',
    async (path) => {
      expect(await mesh.status('batch', '--path-as-is', '-X', 'POST', `${cart}${path}`)).toBe(403);
    },
  );

  test.each(['/cart%2fitems', '//cart/items', '/x/..%2fcart/items', '/cart;a/items'])(
    'a path without one normal form, %s, is 400 where a policy reads paths',
    async (path) => {
      const answer = await mesh.curl('batch', '-i', '--path-as-is', '-X', 'POST', `${cart}${path}`);
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      expect(answer).toMatch(/weft-reason: ambiguous_path/i);
    },
  );

  test('ALLOW lists who may: others are refused', async () => {
    await enforce(
      { ...toCart, action: 'ALLOW', rules: [webMayGet] },
      () => mesh.status('batch', `${cart}/`),
      403,
    );
    expect(await mesh.curl('batch', '-i', `${cart}/`)).toMatch(/weft-reason: policy_not_allowed/i);
    expect(await mesh.status('web', `${cart}/`)).toBe(200);
  });

  test('the pod address is no way round', async () => {
    expect(await mesh.status('batch', `http://${mesh.pod('cart').ipv4}:8080/`)).toBe(403);
    expect(await mesh.status('web', `http://${mesh.pod('cart').ipv4}:8080/`)).toBe(200);
  });

  test('requireAuthenticated refuses a source that is known by address only', async () => {
    const direct = `http://${mesh.pod('cart').ipv4}:8080/`;
    const either = {
      sources: { serviceAccounts: ['test/web', 'test/outsider'] },
      http: { methods: ['GET'] },
    };
    const known = { ...toCart, action: 'ALLOW', rules: [either] };
    await enforce(known, () => mesh.status('outsider', direct), 200);
    expect(await mesh.status('batch', direct)).toBe(403);
    await enforce({ ...known, requireAuthenticated: true }, () => mesh.status('outsider', direct), 403);
    expect(await mesh.curl('outsider', '-i', direct)).toMatch(/weft-reason: unauthenticated_source/i);
    expect(await mesh.status('web', direct)).toBe(200);
  });

  test('Audit counts and lets pass', async () => {
    await enforce(
      { ...toCart, action: 'DENY', mode: 'Audit', rules: [fromBatch] },
      () => mesh.status('batch', `${cart}/`),
      200,
    );
    await awaitEvent(
      'the audit counter',
      5_000,
      async () => sumSamples(await mesh.samples(), 'weft_policy_audit_total') > 0,
    );
  });

  test('an L4 rule is enforced by the kernel: EPERM, counted', async () => {
    const ping = async () => {
      const { stdout, stderr } = await mesh.pod('batch').try(['redis-cli', '-h', '10.97.0.2', 'ping']);
      return `${stdout}${stderr}`;
    };
    const selector = { matchLabels: { app: 'stock' } };
    await enforce(
      { selector, action: 'DENY', rules: [{ ...fromBatch, ports: [6379] }] },
      async () => (await ping()).includes('not permitted'),
      true,
    );
    expect(await mesh.pod('web').run(['redis-cli', '-h', '10.97.0.2', 'ping'])).toBe('PONG\n');
    const direct = await mesh.pod('batch').try(['redis-cli', '-h', mesh.pod('stock').ipv4, 'ping']);
    expect(`${direct.stdout}${direct.stderr}`).toContain('Operation not permitted');
    const labels = { layer: 'kernel', reason: 'kernel_l4_denied' };
    await awaitEvent(
      'the counter',
      5_000,
      async () => sumSamples(await mesh.samples(), 'weft_refusals_total', labels) >= 2,
    );
  });
});
