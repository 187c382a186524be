import { execFile } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import type net from 'node:net';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { Reason } from '../reasons/reasons.js';
import { Action, CompletionKind, RowKind, VerdictFlag } from './engine.js';
import { EngineUnderTest } from './engine-under-test.js';
import { loadEngine } from './load-engine.js';

const addon = loadEngine();
const run = promisify(execFile);

async function listening<S extends net.Server>(server: S): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** Ends a client's connection before the engine's end would reset it. */
async function closed(client: http2.ClientHttp2Session): Promise<void> {
  client.close();
  await once(client, 'close');
}

/** Answers with what came, and a trailer, by HTTP/2 without TLS. */
function echoHttp2(): http2.Http2Server {
  const server = http2.createServer();
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.respond({ ':status': 200, 'x-path': headers[':path'] ?? '' }, { waitForTrailers: true });
    stream.pipe(stream);
  });
  return server;
}

describe('the engine between HTTP/2 programs that nobody here wrote', () => {
  let test: EngineUnderTest;
  const servers: (http.Server | http2.Http2Server)[] = [];

  beforeEach(async () => {
    test = await EngineUnderTest.start(addon);
  });
  afterEach(() => {
    test.close();
    for (const server of servers.splice(0)) {
      if (server instanceof http.Server) server.closeAllConnections();
      server.close();
    }
  });

  async function serveHttp2(): Promise<void> {
    const server = echoHttp2();
    servers.push(server);
    test.serve(await listening(server));
    test.decide = (row) => {
      test.forward(row);
      test.engine.verdicts.flags[row] = VerdictFlag.http2;
    };
  }

  async function serveHttp1(): Promise<void> {
    const server = http.createServer((request, response) => {
      response.writeHead(200, { trailer: 'sum', 'x-path': request.url });
      response.addTrailers({ sum: '7' });
      request.pipe(response);
    });
    servers.push(server);
    test.serve(await listening(server));
    test.decide = (row) => test.forward(row);
  }

  it.each([
    ['HTTP/1', serveHttp1],
    ['HTTP/2', serveHttp2],
  ])('passes what curl asks by HTTP/2 and by HTTP/1 to a server of %s', async (_, serve) => {
    await serve();
    const url = `http://127.0.0.1:${test.port}/a/b?c`;
    for (const version of ['--http2-prior-knowledge', '--http1.1']) {
      const answer = await run('curl', ['-sSi', version, '-d', 'a body', url]);
      expect(answer.stdout).toMatch(/^HTTP\/(2|1\.1) 200/);
      expect(answer.stdout).toMatch(/x-path: \/a\/b\?c/i);
      expect(answer.stdout).toMatch(/a body/);
      const size = 3_000_000;
      const body = 'x'.repeat(size);
      const large = run('curl', [
        '-sS',
        version,
        '--data-binary',
        '@-',
        '-o',
        '/dev/null',
        '-w',
        '%{http_code} %{size_upload} %{size_download}',
        url,
      ]);
      large.child.stdin?.end(body);
      expect((await large).stdout).toBe(`200 ${size} ${size}`);
    }
    expect(test.errors).toEqual([]);
  });

  it('takes curl up on HTTP/2 by Upgrade, and goes on by HTTP/1.1 where a body comes with it', async () => {
    await serveHttp1();
    const ask = (...options: string[]) =>
      run('curl', [
        '-sS',
        '--http2',
        '-w',
        ' %{http_version}',
        ...options,
        `http://127.0.0.1:${test.port}/up`,
      ]);
    expect((await ask()).stdout).toBe(' 2');
    expect((await ask('-d', 'body')).stdout).toBe('body 1.1');
    const { stdout } = await run('nghttp', ['-u', '-n', '-v', `http://127.0.0.1:${test.port}/up`]);
    expect(stdout).toMatch(/HTTP Upgrade success/);
    expect(stdout).toMatch(/:status: 200/);
  });

  it('tells rows their protocol, and carries trailers to a client of HTTP/2', async () => {
    await serveHttp1();
    const seen: number[] = [];
    test.decide = (row) => {
      if (test.engine.rows.kind[row] === RowKind.request) seen.push(test.engine.rows.protocol[row] as number);
      test.forward(row);
    };
    const client = http2.connect(`http://127.0.0.1:${test.port}`);
    const stream = client.request({ ':method': 'POST', ':path': '/t' });
    stream.end('body');
    const trailers = once(stream, 'trailers');
    let text = '';
    for await (const part of stream) text += part;
    expect(text).toBe('body');
    expect((await trailers)[0]).toMatchObject({ sum: '7' });
    expect(seen).toEqual([2]);
    await closed(client);
  });

  it('serves a hundred streams at once over one connection, request by request', async () => {
    await serveHttp2();
    const client = http2.connect(`http://127.0.0.1:${test.port}`);
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const stream = client.request({
          ':method': 'POST',
          ':path': `/${i}`,
          'content-type': 'application/grpc',
        });
        stream.end(`message ${i}`);
        let text = '';
        for await (const part of stream) text += part;
        return text;
      }),
    );
    expect(answers).toEqual(Array.from({ length: 100 }, (_, i) => `message ${i}`));
    await test.untilEnded((ended) => ended.kind === CompletionKind.request && ended.grpcStatus === 0);
    await closed(client);
  });

  it('answers a gRPC call that it refuses in the way that gRPC reads', async () => {
    await serveHttp2();
    test.decide = (row) => {
      const { rows, verdicts } = test.engine;
      verdicts.action[row] = rows.kind[row] === RowKind.connection ? Action.http : Action.reply;
      verdicts.reason[row] = Reason.policy_denied;
    };
    const client = http2.connect(`http://127.0.0.1:${test.port}`);
    const stream = client.request({ ':method': 'POST', ':path': '/a/b', 'content-type': 'application/grpc' });
    stream.end('message');
    const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
    expect(headers).toMatchObject({ ':status': 200, 'grpc-status': '7', 'x-weft-reason': 'policy_denied' });
    stream.resume();
    await once(stream, 'close');
    const ended = await test.untilEnded((each) => each.kind === CompletionKind.request);
    expect(ended).toMatchObject({ status: 403, grpcStatus: 7, reason: Reason.policy_denied });
    await closed(client);
  });

  it('drains: GOAWAY, the running stream finishes, the client connects no more', async () => {
    await serveHttp2();
    const client = http2.connect(`http://127.0.0.1:${test.port}`);
    const stream = client.request({ ':method': 'POST', ':path': '/slow' });
    stream.write('first ');
    await once(stream, 'data');
    const goaway = once(client, 'goaway');
    const drained = test.engine.drain(5000, 'ended');
    await goaway;
    stream.end('last');
    let text = '';
    for await (const part of stream) text += part;
    expect(text).toBe('last');
    await drained;
  });

  it('carries h2load: 4 connections, 100 streams each, to HTTP/2 and to HTTP/1', async () => {
    for (const serve of [serveHttp2, serveHttp1]) {
      await serve();
      const { stdout } = await run('h2load', [
        '-n4000',
        '-c4',
        '-m100',
        `http://127.0.0.1:${test.port}/load`,
      ]);
      expect(stdout).toMatch(/status codes: 4000 2xx, 0 3xx, 0 4xx, 0 5xx/);
      expect(stdout).toMatch(/4000 succeeded, 0 failed, 0 errored, 0 timeout/);
    }
  });
});
