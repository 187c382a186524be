import { awaitEvent } from './harness/await-event.js';
import { policy, route } from './harness/manifests.js';
import { Mesh } from './harness/mesh.js';
import { startNginx } from './harness/services.js';

const cart = 'http://10.97.0.1';
const goodRoute = (value: string) =>
  route('cart', 'cart', [{ filters: [addHeader(value)], backendRefs: [{ name: 'cart', port: 80 }] }]);
const addHeader = (value: string) => ({
  type: 'ResponseHeaderModifier',
  responseHeaderModifier: { set: [{ name: 'x-version', value }] },
});

/** One bad resource is refused by name; it keeps its last good version, and all others go on. */
describe('bad manifests', () => {
  let mesh: Mesh;

  beforeAll(async () => {
    mesh = await Mesh.open(
      {
        pods: [
          { name: 'web' },
          { name: 'cart', ports: [{ name: 'http', port: 8080, appProtocol: 'http' }] },
          { name: 'other', ports: [{ name: 'http', port: 8080, appProtocol: 'http' }] },
        ],
        services: [
          { name: 'cart', host: 1, port: 80, targetPort: 8080, appProtocol: 'http' },
          { name: 'other', host: 2, port: 80, targetPort: 8080, appProtocol: 'http' },
        ],
        more: [goodRoute('1')],
      },
      async ({ lab }) => {
        for (const name of ['cart', 'other']) await startNginx(lab.pod(name), { port: 8080 });
      },
    );
  });
  afterAll(() => mesh?.close());

  const version = async () => /^x-version: (\S+)\r$/im.exec(await mesh.curl('web', '-i', `${cart}/`))?.[1];
  const awaitVersion = (wanted: string) =>
    awaitEvent(`version ${wanted}`, 5_000, async () => (await version()) === wanted);

  test('a route with a wrong value is refused with file, line, field, value and fix; the last good one stays', async () => {
    await awaitVersion('1');
    mesh.write('more.yaml', [goodRoute('2')]);
    await awaitVersion('2');
    const wrong = {
      matches: [{ path: { type: 'Prefix', value: '/x' } }],
      backendRefs: [{ name: 'cart', port: 80 }],
    };
    mesh.write('more.yaml', [
      route('cart', 'cart', [wrong]),
      route('other', 'other', [{ filters: [addHeader('9')], backendRefs: [{ name: 'other', port: 80 }] }]),
    ]);
    // File, line, field, value, and what to write instead, in one line or one record of the log.
    await mesh.weft.process.awaitOutput(
      /more\.yaml[":,a-z]*1\d\b[^\n]*spec\.rules\[0\]\.matches\[0\]\.path\.type[^\n]*Prefix[^\n]*PathPrefix/,
    );
    // The other route of the very same file is in force, and the refused one still has its second version.
    await awaitEvent('the other route', 5_000, async () =>
      /x-version: 9/i.test(await mesh.curl('web', '-i', 'http://10.97.0.2/')),
    );
    expect(await version()).toBe('2');
  });

  test('mending it puts it in force', async () => {
    mesh.write('more.yaml', [goodRoute('3')]);
    await awaitVersion('3');
  });

  test('a file that is no YAML keeps everything of it', async () => {
    mesh.write('more.yaml', 'apiVersion: [');
    await mesh.weft.process.awaitOutput(/more\.yaml/);
    mesh.write('next.yaml', [
      route('other', 'other', [{ filters: [addHeader('10')], backendRefs: [{ name: 'other', port: 80 }] }]),
    ]);
    await awaitEvent('the next file', 5_000, async () =>
      /x-version: 10/i.test(await mesh.curl('web', '-i', 'http://10.97.0.2/')),
    );
    expect(await version()).toBe('3');
  });

  test('a policy that is wrong from the start closes its target, and no other', async () => {
    const spec = {
      targetRefs: [{ group: '', kind: 'Service', name: 'cart' }],
      action: 'REFUSE',
      rules: [{}],
    };
    mesh.write('policies.yaml', [policy('wrong', spec)]);
    await awaitEvent(
      'the target to be closed',
      5_000,
      async () => (await mesh.status('web', `${cart}/`)) === 403,
    );
    expect(await mesh.curl('web', '-i', `${cart}/`)).toMatch(/weft-reason: policy_invalid/i);
    expect(await mesh.status('web', 'http://10.97.0.2/')).toBe(200);
    mesh.write('policies.yaml', [
      policy('wrong', { ...spec, action: 'DENY', rules: [{ http: { paths: ['/secret'] } }] }),
    ]);
    await awaitEvent(
      'the target to be open',
      5_000,
      async () => (await mesh.status('web', `${cart}/`)) === 200,
    );
    expect(await mesh.status('web', `${cart}/secret`)).toBe(403);
  });

  test('a policy that becomes wrong keeps its last good version', async () => {
    const spec = {
      targetRefs: [{ group: '', kind: 'Service', name: 'cart' }],
      action: 'DENY',
      rules: [{ http: { path: ['/x'] } }],
    };
    const said = mesh.weft.process.stderr.length + mesh.weft.process.stdout.length;
    mesh.write('policies.yaml', [policy('wrong', spec)]);
    await awaitEvent(
      'the refusal',
      5_000,
      () => mesh.weft.process.stderr.length + mesh.weft.process.stdout.length > said,
    );
    expect(await mesh.status('web', `${cart}/`)).toBe(200);
    expect(await mesh.status('web', `${cart}/secret`)).toBe(403);
  });

  test('a policy that is removed is no longer in force', async () => {
    mesh.write('policies.yaml', []);
    await awaitEvent(
      'the policy to be gone',
      5_000,
      async () => (await mesh.status('web', `${cart}/secret`)) === 200,
    );
  });
});
