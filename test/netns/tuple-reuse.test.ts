import { Mesh } from './harness/mesh.js';
import { fixture, python, startNginx } from './harness/services.js';

const http = { name: 'http', port: 8080, appProtocol: 'http' };

describe('one local port used again and again', () => {
  let mesh: Mesh;

  beforeAll(async () => {
    mesh = await Mesh.open(
      {
        pods: [{ name: 'web' }, { name: 'one', ports: [http] }, { name: 'two', ports: [http] }],
        services: [
          { name: 'one', host: 1, port: 80, targetPort: 8080, appProtocol: 'http' },
          { name: 'two', host: 2, port: 80, targetPort: 8080, appProtocol: 'http' },
        ],
      },
      async ({ lab }) => {
        for (const name of ['one', 'two']) await startNginx(lab.pod(name), { port: 8080 });
      },
    );
  });
  afterAll(() => mesh?.close());

  test('1,000 connections to two services in turn: every answer is from the one that was asked', async () => {
    const argv = [
      python,
      fixture('reuse-tuple.py'),
      '10.97.0.1',
      'one GET',
      '10.97.0.2',
      'two GET',
      '80',
      '1000',
    ];
    const result = JSON.parse(await mesh.pod('web').run(argv, { timeoutMs: 60_000 }));
    expect(result).toEqual({ right: 1000, wrong: 0, errors: {} });
  });
});
