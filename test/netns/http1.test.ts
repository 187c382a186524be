import { Mesh } from './harness/mesh.js';
import { type Service, startFixture } from './harness/services.js';

const vip = '10.97.0.1';

/** HTTP/1 in all its corners between a raw client and a server that shows every byte it gets. */
describe('HTTP/1 through the mesh', () => {
  let mesh: Mesh;
  let server: Service;

  beforeAll(async () => {
    mesh = await Mesh.open(
      {
        pods: [
          { name: 'client' },
          { name: 'server', ports: [{ name: 'http', port: 8080, appProtocol: 'http' }] },
        ],
        services: [{ name: 'server', host: 1, port: 80, targetPort: 8080, appProtocol: 'http' }],
      },
      async ({ lab }) => {
        server = await startFixture(lab.pod('server'), 'raw-server.py', 8080);
      },
    );
  });
  afterAll(() => mesh?.close());

  const send = (input: string, silence?: number) => mesh.sendRaw('client', vip, 80, input, silence);

  test('HTTP/1.0 request: answered, then closed', async () => {
    const seen = await send('GET /a HTTP/1.0\r\nHost: server\r\n\r\n', 5);
    expect(seen.received).toMatch(/^HTTP\/1\.[01] 200 /);
    expect(seen.received.toLowerCase()).not.toContain('transfer-encoding');
    expect(seen.end).toBe('closed');
  });

  test('a response that ends by closing arrives whole', async () => {
    const seen = await send('GET /close HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n', 5);
    expect(seen).toMatchObject({ received: expect.stringContaining('until the end'), end: 'closed' });
  });

  test('HEAD has the length and no body, and the connection goes on', async () => {
    const head = 'HEAD /head HTTP/1.1\r\nHost: server\r\n\r\n';
    const seen = await send(
      `${head}--8<-- PAUSE\nGET /hints HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n`,
      5,
    );
    const [first = '', rest = ''] = seen.received.split('\r\n\r\n', 2);
    expect(first.toLowerCase()).toContain('content-length: 1234');
    expect(rest).toMatch(/^HTTP\/1\.1 (103|200) /);
    expect(seen.received).toMatch(/hints$/);
  });

  test('an interim response is passed on before the final one', async () => {
    const seen = await send('GET /hints HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n', 5);
    expect(seen.received).toMatch(/^HTTP\/1\.1 103 .*\r\n(.*\r\n)*link: <\/style\.css>; rel=preload\r\n/i);
    expect(seen.received).toMatch(/\r\n\r\nHTTP\/1\.1 200 /);
  });

  test('trailers travel both ways', async () => {
    const seen = await send(
      'GET /trailers HTTP/1.1\r\nHost: server\r\nTE: trailers\r\nConnection: close, TE\r\n\r\n',
      5,
    );
    expect(seen.received).toMatch(/0\r\nx-sum: 42\r\n\r\n$/i);
    const chunked =
      'POST /echo HTTP/1.1\r\nHost: server\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n';
    const echoed = await send(`${chunked}5\r\nhello\r\n0\r\nx-check: 7\r\n\r\n`, 5);
    expect(echoed.received).toContain('hello');
    expect(server.process.stdout).toContain('x-check: 7');
  });

  test('pipelined requests are answered in order', async () => {
    const requests = [1, 2, 3, 4, 5].map((n) => `GET /n${n} HTTP/1.1\r\nHost: server\r\n\r\n`).join('');
    const seen = await send(`${requests}GET /last HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n`, 5);
    const order = [...seen.received.matchAll(/GET \/(n\d|last) /g)].map((match) => match[1]);
    expect(order).toEqual(['n1', 'n2', 'n3', 'n4', 'n5', 'last']);
  });

  test('a body in many pieces arrives whole', async () => {
    const body = 'x'.repeat(100_000);
    const head = `POST /echo HTTP/1.1\r\nHost: server\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
    const seen = await send(head + body, 5);
    expect(seen.received.match(/x/g)?.length).toBeGreaterThanOrEqual(100_000);
  });

  test('an upgrade becomes a tunnel', async () => {
    const upgrade = 'GET /upgrade HTTP/1.1\r\nHost: server\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n';
    const seen = await send(`${upgrade}--8<-- PAUSE\nping`, 1);
    expect(seen.received).toMatch(/^HTTP\/1\.1 101 /);
    expect(seen.received).toMatch(/ping$/);
  });

  test('an upgrade that the server refuses leaves an ordinary connection', async () => {
    const upgrade = 'GET /refuse HTTP/1.1\r\nHost: server\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n';
    const next = 'GET /hints HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n';
    const seen = await send(`${upgrade}--8<-- PAUSE\n${next}`, 5);
    expect(seen.received).toMatch(/^HTTP\/1\.1 200 /);
    expect(seen.received).toContain('no need');
    expect(seen.received).toMatch(/hints$/);
  });

  test('fields that Connection names go no further', async () => {
    await send('GET /hop HTTP/1.1\r\nHost: server\r\nX-Hop: 1\r\nConnection: close, x-hop\r\n\r\n', 5);
    const last =
      server.process.stdout
        .split('\n')
        .filter((line) => line.includes('/hop'))
        .at(-1) ?? '';
    expect(last).toContain('/hop');
    expect(last.toLowerCase()).not.toContain('x-hop');
  });
});
