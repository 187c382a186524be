/** A real gRPC server on a Unix socket, and a channel that finds it again. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { loadIdentityService, reasonTrailer } from '../../../proto/load-identity-service.js';
import type {
  IssueResponseMessage,
  ReceivedIssueRequest,
  ReceivedWatchBundleRequest,
  TrustBundleMessage,
} from '../../../proto/messages.js';
import { ConfigChannel } from '../control/config-channel.js';
import { socketAccess } from '../control/controller-access.js';
import { systemTimers } from '../control/timers.js';
import { IdentityClient } from './identity-client.js';

const { definition, Client } = loadIdentityService();
let folder: string;
let address: string;
let server: Server;
let client: IdentityClient;
let configChannel: ConfigChannel;
let bundles: (readonly Uint8Array[])[];
let told: () => void;
/** `server`: the root that was given to the server that was asked. */
let answer: (
  request: ReceivedIssueRequest,
  done: sendUnaryData<IssueResponseMessage>,
  server: string,
) => void;

async function serve(root: string): Promise<void> {
  server = await listen(root, address);
}

async function listen(root: string, at: string): Promise<Server> {
  const listening = new Server();
  listening.addService(definition, {
    Issue: (
      call: ServerUnaryCall<ReceivedIssueRequest, IssueResponseMessage>,
      done: sendUnaryData<IssueResponseMessage>,
    ) => answer(call.request, done, root),
    WatchBundle: (stream: ServerWritableStream<ReceivedWatchBundleRequest, TrustBundleMessage>) =>
      stream.write({ trustDomain: stream.request.node, roots: [Buffer.from(root)] }),
  });
  await new Promise<void>((resolve, reject) => {
    listening.bindAsync(at, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  return listening;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weft-i-'));
  address = `unix:${join(folder, 's')}`;
  bundles = [];
  told = () => {};
  configChannel = new ConfigChannel();
  client = new IdentityClient({
    access: socketAccess(address),
    node: 'local',
    channel: configChannel,
    timers: systemTimers,
    random: () => 0,
    log: () => {},
    onBundle: (roots) => {
      bundles.push(roots);
      told();
    },
  });
});

afterEach(() => {
  client.close();
  server?.forceShutdown();
  rmSync(folder, { recursive: true, force: true });
});

const nextBundle = () =>
  new Promise<string>((resolve) => {
    told = () => resolve(Buffer.from(bundles.at(-1)?.[0] ?? []).toString());
  });

test('a request travels with its node and workload, and chain and roots come back', async () => {
  await serve('root');
  const seen: unknown[] = [];
  answer = ({ node, workloadUid, csr }, done) => {
    seen.push([node, workloadUid, csr.toString()]);
    done(null, { chain: [Buffer.from('leaf')], bundle: { trustDomain: 'a', roots: [Buffer.from('root')] } });
  };
  const issued = await client.issue('uid-1', Buffer.from('csr'));
  expect(seen).toEqual([['local', 'uid-1', 'csr']]);
  expect([...issued.chain, ...issued.roots].map(String)).toEqual(['leaf', 'root']);
});

test('certificates are asked of the controller that the configuration comes from, and of any other once it has gone', async () => {
  const issued: IssueResponseMessage = { chain: [Buffer.from('leaf')], bundle: null };
  await serve('other');
  const publisher = `unix:${join(folder, 'publisher')}`;
  const publishing = await listen('publisher', publisher);
  const stream = new Client(publisher, credentials.createInsecure());
  try {
    const channel = stream.getChannel();
    configChannel.answered(channel);
    const targets: string[] = [];
    answer = (_request, done, asked) => {
      targets.push(asked);
      done(null, issued);
    };
    await client.issue('u', Buffer.from('c'));
    expect(targets).toEqual(['publisher']);
    answer = (_request, done, asked) => {
      targets.push(asked);
      if (asked === 'other') return done(null, issued);
      configChannel.ended(channel);
      publishing.forceShutdown();
    };
    expect((await client.issue('u', Buffer.from('c'))).chain.map(String)).toEqual(['leaf']);
    expect(targets).toEqual(['publisher', 'publisher', 'other']);
  } finally {
    stream.close();
    publishing.forceShutdown();
  }
});

test('a refusal keeps its name; one without a name, and silence, get theirs', async () => {
  expect(await client.issue('u', Buffer.from('c')).catch((error) => error.reason)).toBe(
    'authority_unreachable',
  );
  const connected = nextBundle();
  client.watch();
  await serve('root');
  await connected;
  const metadata = new Metadata();
  metadata.set(reasonTrailer, 'identity_not_on_node');
  answer = (_request, done) => done({ code: status.PERMISSION_DENIED, details: 'not here', metadata });
  const refusal = await client.issue('u', Buffer.from('c')).catch((error) => error);
  expect([refusal.reason, refusal.message]).toEqual(['identity_not_on_node', 'not here']);
  answer = (_request, done) => done({ code: status.INTERNAL, details: 'broken' });
  expect(await client.issue('u', Buffer.from('c')).catch((error) => error.reason)).toBe('issuer_failed');
});

test('the bundle is followed, also after the authority was away', async () => {
  const first = nextBundle();
  client.watch();
  await serve('one');
  expect(await first).toBe('one');
  const second = nextBundle();
  server.forceShutdown();
  await serve('two');
  expect(await second).toBe('two');
});
