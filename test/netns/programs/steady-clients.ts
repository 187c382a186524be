/**
 * Clients that go on and on and never try again: what fails, they count. Needs nothing but Node.js (and grpc-js for grpc),
 * so that it runs in a lab's pod as in a cluster's.
 *
 *   http1  URL        keep-alive connections, one request after another on each
 *   http2  URL        one session (prior knowledge), several requests at a time; a new one after GOAWAY
 *   grpc   HOST:PORT  weft.test.Echo: chats of many messages, each sent once the one before is back; no policy of retries
 *   tcp    HOST:PORT  an echoing server: connections that stay open all the time, and short ones beside them
 *
 * usage: steady-clients.js [--status PORT] KIND TARGET...    Says `steady` once each kind has had answers; prints what was
 * seen as JSON for each line of its input and at its end, or, with a port, answers every HTTP request there with it.
 */
import { Agent, createServer, request } from 'node:http';
import { type ClientHttp2Session, connect as connectHttp2, constants } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** What one kind of client has seen. */
interface Seen {
  done: number;
  connections: number;
  failures: string[];
}

const clients = 4;
const pauseMs = 5;
const lateMs = 20_000;
const report: Record<string, Seen> = {};
let ending = false;

/** Repeats until the end; a failure is counted, and the next one begins. */
async function keepOn(seen: Seen, once: () => Promise<void>): Promise<void> {
  while (!ending) {
    try {
      await once();
      seen.done += 1;
    } catch (error) {
      const at = new Date().toISOString();
      seen.failures.push(`${at} ${error instanceof Error ? error.message : String(error)}`);
      await delay(100);
    }
    await delay(pauseMs);
  }
}

function askHttp1(url: string, agent: Agent, seen: Seen): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent, timeout: lateMs }, (response) => {
      response.resume();
      response.on('end', () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`status ${response.statusCode} ${response.headers['x-weft-reason'] ?? ''}`));
      });
      response.on('error', reject);
    });
    sent.on('socket', () => {
      if (!sent.reusedSocket) seen.connections += 1;
    });
    sent.on('timeout', () => sent.destroy(new Error('late')));
    sent.on('error', (error) => reject(new Error(`${error.message}${sent.reusedSocket ? ' (reused)' : ''}`)));
    sent.end();
  });
}

function http1(url: string, seen: Seen): void {
  for (let client = 0; client < clients; client += 1) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    void keepOn(seen, () => askHttp1(url, agent, seen));
  }
}

/** What a server that drains says first: no stream of the client's is left out yet (RFC 9113 section 6.8). */
const allStreams = 2 ** 31 - 1;

/**
 * A request that Node.js had queued when that came is refused by Node.js itself: it was never sent. Such a one goes by the
 * next session; any other refusal counts.
 */
function http2(url: string, seen: Seen): void {
  const noticed = new WeakSet<ClientHttp2Session>();
  let session: ClientHttp2Session | undefined;
  const open = () => {
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    const opened = connectHttp2(url);
    seen.connections += 1;
    opened.on('goaway', (_code, last) => {
      if (last === allStreams) noticed.add(opened);
      else noticed.delete(opened);
    });
    // Each request on it fails by itself.
    opened.on('error', () => {});
    session = opened;
    return opened;
  };
  const ask = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const by = open();
      const stream = by.request({ ':path': new URL(url).pathname });
      let status = 0;
      let failure: Error | undefined;
      stream.setTimeout(lateMs, () => stream.destroy(new Error('late')));
      stream.on('response', (headers) => {
        status = headers[':status'] ?? 0;
      });
      stream.on('error', (error) => {
        failure = error;
      });
      stream.resume();
      stream.on('close', () => {
        const refused = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
        if (status === 200 && stream.rstCode === 0) resolve();
        else if (refused && noticed.has(by) && by.closed) ask().then(resolve, reject);
        else reject(failure ?? new Error(`status ${status}, code ${stream.rstCode}`));
      });
    });
  for (let client = 0; client < clients; client += 1) void keepOn(seen, ask);
}

/**
 * What Node.js refuses in this way (see {@link http2}) a gRPC library sends once more by itself, as gRPC's specification of
 * retries wants it of all of them ("transparent retries"), and nothing else without a policy.
 */
async function grpc(target: string, seen: Seen): Promise<void> {
  const { Client, credentials, Metadata, status } = await import('@grpc/grpc-js');
  const client = new Client(target, credentials.createInsecure());
  const same = (bytes: Buffer) => bytes;
  const messages = 50;
  const chat = () =>
    new Promise<void>((resolve, reject) => {
      const deadline = Date.now() + lateMs;
      const call = client.makeBidiStreamRequest('/weft.test.Echo/Chat', same, same, new Metadata(), {
        deadline,
      });
      let back = 0;
      const say = () => void setTimeout(() => call.write(Buffer.from(`message ${back}`)), pauseMs);
      call.on('data', (echoed: Buffer) => {
        if (echoed.toString() !== `message ${back}`)
          reject(new Error(`another message: ${echoed.toString()}`));
        back += 1;
        if (back === messages) call.end();
        else say();
      });
      call.on('error', () => {});
      call.on('status', ({ code, details }) => {
        if (code === status.OK && back === messages) resolve();
        else reject(new Error(`${status[code]} ${details} after ${back} messages`));
      });
      say();
    });
  for (let call = 0; call < clients; call += 1) void keepOn(seen, chat);
}

/** Says lines and waits for each to come back, for so long as `more` wishes. */
function echo(target: string, seen: Seen, more: (lines: number) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const [host, port] = target.split(/:(?=\d+$)/) as [string, string];
    const socket: Socket = connectTcp({ host, port: Number(port) });
    let lines = 0;
    let heard = '';
    const say = () => socket.write(`line ${lines}\n`);
    socket.setTimeout(lateMs, () => socket.destroy(new Error('late')));
    socket.on('connect', () => {
      seen.connections += 1;
      say();
    });
    socket.on('data', (bytes) => {
      heard += bytes.toString();
      if (!heard.endsWith('\n')) return;
      if (heard !== `line ${lines}\n`) socket.destroy(new Error(`another line: ${heard}`));
      heard = '';
      lines += 1;
      if (more(lines)) setTimeout(say, pauseMs);
      else {
        resolve();
        socket.end();
      }
    });
    socket.on('error', (error) => reject(new Error(`${error.message} after ${lines} lines`)));
    socket.on('close', () => reject(new Error(`closed after ${lines} lines`)));
  });
}

function tcp(target: string, seen: Seen): void {
  void keepOn(seen, () => echo(target, seen, () => !ending));
  for (let client = 1; client < clients; client += 1) {
    void keepOn(seen, () => echo(target, seen, (lines) => lines < 100));
  }
}

const kinds: Record<string, (target: string, seen: Seen) => unknown> = { http1, http2, grpc, tcp };

function begin(words: readonly string[]): void {
  for (let at = 0; at < words.length; at += 2) {
    const [kind = '', target = ''] = words.slice(at, at + 2);
    const seen: Seen = { done: 0, connections: 0, failures: [] };
    report[kind] = seen;
    const started = kinds[kind];
    if (started === undefined) throw new Error(`there are no clients of ${kind}`);
    started(target, seen);
  }
}

async function sayWhenSteady(): Promise<void> {
  while (Object.values(report).some(({ done }) => done < 3)) await delay(20);
  console.log('steady');
}

const words = process.argv.slice(2);
const port = words[0] === '--status' ? Number(words.splice(0, 2)[1]) : undefined;
begin(words);
void sayWhenSteady();
if (port !== undefined) createServer((_, response) => response.end(JSON.stringify(report))).listen(port);
else {
  process.stdin.on('data', () => console.log(JSON.stringify(report)));
  process.stdin.on('end', async () => {
    ending = true;
    await delay(1_000);
    console.log(JSON.stringify(report));
    process.exit(0);
  });
}
