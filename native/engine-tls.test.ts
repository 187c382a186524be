/** The engine's TLS against another's: node:tls, which runs on the same OpenSSL and shares no code of ours. */
import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import tls from 'node:tls';
import { Reason } from '../reasons/reasons.js';
import { TestAuthority } from './certificates-under-test.js';
import {
  Action,
  Alpn,
  CompletionKind,
  type ConnectionInfo,
  type IdentityOptions,
  RowKind,
} from './engine.js';
import { EngineUnderTest } from './engine-under-test.js';
import { loadEngine } from './load-engine.js';

const addon = loadEngine();
const shop = 'spiffe://mesh.example/ns/shop/sa/shop';
const cart = 'spiffe://mesh.example/ns/shop/sa/cart';

let authority: TestAuthority;
let shopIdentity: IdentityOptions;
let cartIdentity: IdentityOptions;
const closers: (() => void)[] = [];

beforeAll(() => {
  authority = new TestAuthority();
  shopIdentity = authority.identity(shop);
  cartIdentity = authority.identity(cart);
});

afterAll(() => authority.close());

afterEach(() => {
  for (const close of closers.splice(0).reverse()) close();
});

async function startEngine(): Promise<EngineUnderTest> {
  const test = await EngineUnderTest.start(addon);
  closers.push(() => test.close());
  return test;
}

/** Serves on loopback until the test is over. */
async function listening(server: net.Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** Serves `use` of what came in by TLS, and tells who came and what both ends speak. */
function serveSecured(test: EngineUnderTest, use: number, seen: { peer: string; alpn: number }[]): void {
  test.decide = (row) => {
    const { rows, verdicts } = test.engine;
    const kind = rows.kind[row];
    if (kind === RowKind.request) return test.forward(row);
    if (kind === RowKind.secured)
      seen.push({
        peer: test.engine.readText(rows.peerOffset[row] as number, rows.peerLength[row] as number),
        alpn: rows.alpn[row] as number,
      });
    verdicts.action[row] = kind === RowKind.secured ? use : Action.secure;
    verdicts.endpoint[row] = 1;
  };
}

function clientOptions(port: number, alpn: string, identity?: IdentityOptions): tls.ConnectionOptions {
  return {
    ...{ host: '127.0.0.1', port, ca: authority.trust, ALPNProtocols: [alpn], minVersion: 'TLSv1.3' },
    ...(identity === undefined ? {} : { cert: identity.certificate, key: identity.key }),
    checkServerIdentity: (_host, { subjectaltname }) =>
      subjectaltname === `URI:${cart}` ? undefined : new Error(`${subjectaltname} is not ${cart}`),
  };
}

function serverOptions(alpn: string): tls.TlsOptions {
  const { certificate, key, trust } = cartIdentity;
  const demands = { requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.3' } as const;
  return { cert: certificate, key, ca: trust, ALPNProtocols: [alpn], ...demands };
}

describe('inbound TLS, called by node:tls', () => {
  let test: EngineUnderTest;
  let port: number;
  const seen: { peer: string; alpn: number }[] = [];

  beforeEach(async () => {
    seen.length = 0;
    test = await startEngine();
    port = await test.listen(1, 1);
    test.engine.setIdentity(1, cartIdentity);
    serveSecured(test, Action.http, seen);
    const app = http.createServer((request, response) => {
      request.pipe(response.writeHead(200, { 'content-type': 'text/plain' }));
    });
    test.serve(await listening(app));
  });

  it('knows who calls, and carries a megabyte of body there and back', async () => {
    const socket = tls.connect(clientOptions(port, 'weft/h1', shopIdentity));
    await once(socket, 'secureConnect');
    expect(socket.alpnProtocol).toBe('weft/h1');
    const body = 'weft'.repeat(250_000);
    const options = {
      createConnection: (): net.Socket => socket,
      method: 'POST',
    };
    let connection: ConnectionInfo | undefined;
    const text = await new Promise<string>((resolve, reject) => {
      const request = http.request(options, (response) => {
        [connection] = test.engine.connections();
        let got = '';
        response.setEncoding('utf8').on('data', (part) => {
          got += part;
        });
        response.on('end', () => resolve(got));
      });
      request.on('error', reject).end(body);
    });
    expect(text === body).toBe(true);
    expect(seen).toEqual([{ peer: shop, alpn: Alpn.h1 }]);
    expect(connection).toMatchObject({ transport: 'tls', peer: shop, protocol: 'http1', state: 'http' });
    expect(test.engine.stats()).toMatchObject({ serverHandshakes: 1, failedHandshakes: 0 });
    socket.destroy();
  });

  it.each([
    ['no certificate', 'weft/h1', false, Reason.tls_no_client_certificate],
    ['no protocol of the mesh', 'http/1.1', true, Reason.tls_alpn_refused],
  ])('refuses %s by name', async (_what, alpn, identified, reason) => {
    const socket = tls.connect(clientOptions(port, alpn, identified ? shopIdentity : undefined));
    socket.on('error', () => socket.destroy());
    const ended = await test.untilEnded(({ kind }) => kind === CompletionKind.connection);
    expect(ended.reason).toBe(reason);
    expect(seen).toEqual([]);
    socket.destroy();
  });

  it('takes the ticket of a caller that has proved its key, and none of before policies changed', async () => {
    /** Whether the session was taken, and the one that follows it. */
    const call = async (session?: Buffer): Promise<{ reused: boolean; next: Buffer }> => {
      const options = clientOptions(port, 'weft/h1', session === undefined ? shopIdentity : undefined);
      const socket = tls.connect(session === undefined ? options : { ...options, session });
      socket.resume();
      const [next] = (await once(socket, 'session')) as [Buffer];
      const reused = socket.isSessionReused();
      socket.destroy();
      return { reused, next };
    };
    const { reused, next } = await call();
    expect(reused).toBe(false);
    const again = await call(next);
    expect(again.reused).toBe(true);
    test.engine.forgetTickets();
    const outdated = expect(call(again.next)).rejects.toThrow();
    const refused = await test.untilEnded(({ reason }) => reason === Reason.tls_no_client_certificate);
    expect(refused.kind).toBe(CompletionKind.connection);
    await outdated;
    const isOver = () => test.ended.filter(({ kind }) => kind === CompletionKind.connection).length === 3;
    await test.untilEnded(isOver);
    expect(seen).toEqual([
      { peer: shop, alpn: Alpn.h1 },
      { peer: shop, alpn: Alpn.h1 },
    ]);
    expect(test.engine.stats()).toMatchObject({
      ...{ serverHandshakes: 2, resumedAsServer: 1, failedHandshakes: 1 },
      ...{ outdatedTickets: 1, misplacedTickets: 0, tlsSessions: 0, tlsBytes: 0 },
    });
  });

  it('refuses an identity that does not fit, and says why', () => {
    const { engine } = test;
    expect(() => engine.setIdentity(1, { ...cartIdentity, key: shopIdentity.key })).toThrow(
      'the key is not the certificate',
    );
    expect(() => engine.setIdentity(1, { ...cartIdentity, spiffeId: shop })).toThrow(`not ${shop}`);
    expect(() => engine.setIdentity(1, { ...cartIdentity, trust: 'none' })).toThrow('trust bundle');
    expect(() => engine.setIdentity(7, cartIdentity)).toThrow('workload is not known');
    expect(() => engine.setIdentity(1, { ...cartIdentity, generation: -1 })).toThrow('generation');
    expect(() => engine.removeIdentity(7, Reason.tls_no_identity, 0)).toThrow('workload is not known');
    expect(() => engine.endRequests(Reason.policy_denied, { requestTag: 0 })).toThrow('requestTag');
  });
});

describe('outbound TLS, towards node:tls', () => {
  let test: EngineUnderTest;

  async function callServer(server: net.Server, expected = cart): Promise<void> {
    test = await startEngine();
    test.engine.setIdentity(1, shopIdentity);
    const address = { address: '127.0.0.1', port: await listening(server), destination: 1, generation: 0 };
    test.engine.setEndpoint(1, { ...address, transport: 'tls', identity: expected });
    test.decide = (row) => test.tunnel(row);
  }

  it('shows who calls, and carries each direction to its own end', async () => {
    const callers: string[] = [];
    let heard = '';
    await callServer(
      tls.createServer({ ...serverOptions('weft/tcp'), allowHalfOpen: true }, (socket) => {
        callers.push(`${socket.getPeerCertificate().subjectaltname} ${socket.alpnProtocol}`);
        socket.on('data', (part) => {
          heard += part;
        });
        socket.on('end', () => socket.end(`heard ${heard.length}`));
      }),
    );
    const client = net.connect({ port: test.port, host: '127.0.0.1', allowHalfOpen: true });
    let answer = '';
    client.on('data', (part) => {
      answer += part;
    });
    client.end('question'.repeat(50_000));
    await once(client, 'end');
    expect(callers).toEqual([`URI:${shop} weft/tcp`]);
    expect(answer).toBe('heard 400000');
    const ended = await test.untilEnded(({ kind }) => kind === CompletionKind.connection);
    expect(ended).toMatchObject({ reason: Reason.peer_closed, bytesReceived: 400_000, bytesSent: 12 });
  });

  it('resumes opaque connections until its tickets are forgotten', async () => {
    const reused: boolean[] = [];
    await callServer(
      tls.createServer({ ...serverOptions('weft/tcp'), allowHalfOpen: true }, (socket) => {
        reused.push(socket.isSessionReused());
        socket.resume().on('end', () => socket.end('bye'));
      }),
    );
    for (let i = 0; i < 4; i++) {
      if (i === 3) test.engine.forgetTickets();
      const client = net.connect({ port: test.port, host: '127.0.0.1', allowHalfOpen: true });
      client.resume().end('hello');
      await once(client, 'end');
    }
    // Where a session was resumed, node gives no further ticket: after the third one the fourth would be resumed again.
    expect(reused).toEqual([false, true, false, false]);
    expect(test.engine.stats()).toMatchObject({
      clientHandshakes: 4,
      resumedAsClient: 1,
      failedHandshakes: 0,
    });
  });

  it('speaks to nobody but whom it expects', async () => {
    await callServer(
      tls.createServer(serverOptions('weft/tcp')).on('tlsClientError', () => undefined),
      shop,
    );
    const client = net.connect(test.port, '127.0.0.1');
    client.on('error', () => undefined);
    const ended = await test.untilEnded(({ kind }) => kind === CompletionKind.connection);
    expect(ended.reason).toBe(Reason.tls_wrong_identity);
    client.destroy();
  });
});

it('two engines speak HTTP/2 to each other, and go on while their identities are replaced', async () => {
  const seen: { peer: string; alpn: number }[] = [];
  const server = await startEngine();
  const inbound = await server.listen(1, 1);
  server.engine.setIdentity(1, cartIdentity);
  serveSecured(server, Action.http, seen);
  server.serve(await listening(http.createServer((request, response) => response.end(request.url))));
  const client = await startEngine();
  client.engine.setIdentity(1, shopIdentity);
  const address = { address: '127.0.0.1', port: inbound, destination: 1, generation: 0 };
  client.engine.setEndpoint(1, { ...address, transport: 'tls', identity: cart });
  let failed = 0;
  const ask = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${client.port}${path}`);
    if (response.status !== 200 || (await response.text()) !== path) failed++;
  };
  for (let generation = 2; generation < 8; generation++) {
    const running = Array.from({ length: 20 }, (_, i) => ask(`/${generation}/${i}`));
    client.engine.setIdentity(1, { ...shopIdentity, generation });
    server.engine.setIdentity(1, { ...cartIdentity, generation });
    await Promise.all(running);
  }
  expect(failed).toBe(0);
  expect(seen.length).toBeGreaterThan(1);
  expect(seen.every(({ peer, alpn }) => peer === shop && alpn === Alpn.h2)).toBe(true);
  expect(client.engine.stats().failedHandshakes + server.engine.stats().failedHandshakes).toBe(0);
});
