/** HTTP/2 by programs that nobody here wrote, and its bridge to HTTP/1.1. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Field, RawAnswer, RawStream } from './harness/http2-attempts.js';
import { Mesh } from './harness/mesh.js';
import { fixture, python, type Service, startFixture, startNginx } from './harness/services.js';

/** What is put is read to its end before it is answered: an early answer may cut the request short (RFC 9113 section 8.1). */
const tellProtocol = (folder: string) =>
  `location / { default_type text/plain; return 200 "$hostname_of_pod $server_protocol $request_uri\\n"; }
   location = /put { root ${folder}; dav_methods PUT; }`;

const [toH2, toH1, toRaw] = ['10.97.0.1', '10.97.0.2', '10.97.0.3'];

describe('HTTP/2 through the mesh', () => {
  let mesh: Mesh;
  let raw: Service;

  beforeAll(async () => {
    mesh = await Mesh.open(
      {
        pods: [
          { name: 'client' },
          { name: 'h2', ports: [{ name: 'h2', port: 8080, appProtocol: 'http2' }] },
          { name: 'h1', ports: [{ name: 'h1', port: 8080, appProtocol: 'http' }] },
          { name: 'raw', ports: [{ name: 'raw', port: 8080, appProtocol: 'http' }] },
        ],
        services: [
          { name: 'h2', host: 1, port: 80, targetPort: 8080, appProtocol: 'http2' },
          { name: 'h1', host: 2, port: 80, targetPort: 8080, appProtocol: 'http' },
          { name: 'raw', host: 3, port: 80, targetPort: 8080, appProtocol: 'http' },
        ],
      },
      async ({ lab }) => {
        const [h2, h1] = [lab.pod('h2'), lab.pod('h1')];
        await startNginx(h2, { port: 8080, listen: ['8080 http2'], server: tellProtocol(h2.folder) });
        await startNginx(h1, { port: 8080, server: tellProtocol(h1.folder) });
        raw = await startFixture(lab.pod('raw'), 'raw-server.py', 8080);
      },
    );
  });
  afterAll(() => mesh?.close());

  test.each([
    ['HTTP/2 to HTTP/2', ['--http2-prior-knowledge'], toH2, 'h2 HTTP/2.0', '2'],
    ['HTTP/2 to HTTP/1.1', ['--http2-prior-knowledge'], toH1, 'h1 HTTP/1.1', '2'],
    ['HTTP/1.1 to HTTP/2', ['--http1.1'], toH2, 'h2 HTTP/2.0', '1.1'],
    ['HTTP/1.1 to HTTP/1.1', ['--http1.1'], toH1, 'h1 HTTP/1.1', '1.1'],
  ])('%s, by curl and nginx', async (_, way, host, server, version) => {
    const tail = ['-w', 'client HTTP/%{http_version}'];
    const got = await mesh.curl('client', ...way, ...tail, `http://${host}/a?b=c`);
    expect(got).toBe(`${server} /a?b=c\nclient HTTP/${version}`);
    // More than a stream's first window.
    const sent = 'x'.repeat(70_000);
    const put = ['-X', 'PUT', '-d', sent, '-o', '/dev/null', '-w', '%{http_code}', `http://${host}/put`];
    expect(await mesh.curl('client', ...way, ...put)).toBe('201');
    const kept = join(mesh.pod(host === toH2 ? 'h2' : 'h1').folder, 'put');
    expect(readFileSync(kept, 'utf8')).toBe(sent);
    rmSync(kept);
  });

  test.each([
    ['HTTP/2', toH2],
    ['HTTP/1.1', toH1],
  ])('h2load: 20,000 requests, 400 at a time on four connections, to %s', async (_, host) => {
    const argv = ['h2load', '-n', '20000', '-c', '4', '-m', '100', `http://${host}/`];
    const said = await mesh.pod('client').run(argv, { timeoutMs: 60_000 });
    expect(said).toMatch(/20000 total, 20000 started, 20000 done, 20000 succeeded, 0 failed, 0 errored/);
    expect(said).toMatch(/status codes: 20000 2xx, 0 3xx, 0 4xx, 0 5xx/);
  });

  const get: readonly Field[] = [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/right'],
    [':authority', 'raw'],
  ];
  const post: readonly Field[] = [[':method', 'POST'], ...get.slice(1)];
  /** The pseudo-headers with one of them replaced. */
  const but = (name: string, value: string, from = get): readonly Field[] =>
    from.map((field) => (field[0] === name ? [name, value] : field));

  const send = async (...streams: RawStream[]): Promise<RawAnswer[]> => {
    const argv = [python, fixture('http2-raw.py'), toRaw, '80'];
    const input = JSON.stringify(streams);
    return JSON.parse(await mesh.pod('client').run(argv, { input })) as RawAnswer[];
  };
  /** Heads of the requests that reached the HTTP/1.1 server so far. */
  const arrived = () => raw.process.stdout.split('\n').filter(Boolean);

  test('what is right arrives, and carries trailers both ways', async () => {
    const [got, echoed, trailed] = await send(
      { headers: get },
      {
        headers: [...but(':path', '/echo', post), ['te', 'trailers']],
        data: ['hel', 'lo'],
        trailers: [['x-check', '7']],
      },
      { headers: [...but(':path', '/trailers'), ['te', 'trailers']] },
    );
    expect(got?.headers).toMatchObject({ ':status': '200' });
    expect(echoed).toMatchObject({ headers: { ':status': '200' }, body: 'hello' });
    expect(arrived().some((line) => line.includes('x-check: 7'))).toBe(true);
    expect(trailed?.trailers).toEqual({ 'x-sum': '42' });
  });

  test('fields by which a caller could claim what it is reach no application, HTTP/1.1 or HTTP/2', async () => {
    const lies: readonly Field[] = [
      ['x-weft-identity', 'spiffe://test.example/ns/test/sa/admin'],
      ['x-weft-reason', 'policy_denied'],
      ['x-forwarded-client-cert', 'By=spiffe://a;URI=spiffe://test.example/ns/test/sa/admin'],
    ];
    const before = arrived().length;
    await send({ headers: [...but(':path', '/lies'), ...lies, ['x-honest', '1']] });
    const flags = lies.flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
    await mesh.curl('client', '--http1.1', ...flags, '-H', 'x-honest: 1', `http://${toRaw}/lies`);
    const heads = arrived().slice(before);
    expect(heads).toHaveLength(2);
    for (const head of heads) {
      expect(head).toMatch(/x-honest: 1/i);
      expect(head).not.toMatch(/x-weft-|x-forwarded-client-cert/i);
    }
  });
});
