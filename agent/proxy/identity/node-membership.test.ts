/** A node that joins a real gRPC server over TLS, with a vault of its own. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { controllerSpiffeId } from '../../../model/system-identity.js';
import { loadIdentityService, reasonTrailer } from '../../../proto/load-identity-service.js';
import type { IssueResponseMessage, ReceivedIssueNodeRequest } from '../../../proto/messages.js';
import { nodeSecretName } from '../../handover/messages.js';
import { systemTimers } from '../control/timers.js';
import { ControllerClock } from './controller-clock.js';
import { makeRequest } from './make-request.js';
import { NodeMembership } from './node-membership.js';
import { TestAuthority } from './test-authority.js';
import { toPem } from './to-pem.js';
import { ExtendedKeyUsage } from './x509.js';

const { definition } = loadIdentityService();
const hour = 3_600_000;
const nodeId = 'spiffe://mesh.test/weft/node/far';

let folder: string;
let authority: TestAuthority;
let server: Server | undefined;
let address: string;
let asked: { readonly token: string; readonly proven: string }[];
let answer: 'issue' | 'refuse';
let lifeMs: number;
let kept: Map<string, string>;
let logged: string[];
let membership: NodeMembership;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weft-n-'));
  authority = await TestAuthority.create('root', Date.now());
  [asked, answer, lifeMs, kept, logged] = [[], 'issue', hour, new Map(), []];
  writeFileSync(join(folder, 'ca.crt'), toPem('CERTIFICATE', authority.root));
  writeFileSync(join(folder, 'token'), 'weft.token\n');
});

afterEach(() => {
  membership.close();
  server?.forceShutdown();
  rmSync(folder, { recursive: true, force: true });
});

/** Serves under a name, by a certificate of `issuer`. */
async function serve(name: string, issuer = authority): Promise<void> {
  const { csr, privateKey } = await makeRequest(name);
  const certificate = await issuer.sign(csr, Date.now() - 1000, hour, {
    usages: [ExtendedKeyUsage.serverAuth],
  });
  server = new Server();
  server.addService(definition, { Issue: unused, WatchBundle: unused, IssueNode: issueNode });
  const own = server;
  const pair = {
    private_key: Buffer.from(toPem('PRIVATE KEY', privateKey)),
    cert_chain: Buffer.from(toPem('CERTIFICATE', certificate)),
  };
  const credentials = ServerCredentials.createSsl(Buffer.from(toPem('CERTIFICATE', authority.root)), [pair]);
  const port = await new Promise<number>((resolve, reject) =>
    own.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound))),
  );
  address = `127.0.0.1:${port}`;
}

function unused(): void {
  throw new Error('only joining is asked for here');
}

function issueNode(
  call: ServerUnaryCall<ReceivedIssueNodeRequest, IssueResponseMessage>,
  reply: sendUnaryData<IssueResponseMessage>,
): void {
  const { token, csr, node } = call.request;
  asked.push({ token, proven: node });
  if (answer === 'refuse') {
    const metadata = new Metadata();
    metadata.set(reasonTrailer, 'node_token_replayed');
    reply({ code: status.UNAUTHENTICATED, details: 'it was used', metadata });
    return;
  }
  authority
    .sign(csr, Date.now() - 1000, lifeMs, { usages: [ExtendedKeyUsage.clientAuth] })
    .then((certificate) => {
      const bundle = { trustDomain: 'mesh.test', roots: [Buffer.from(authority.root)] };
      reply(null, { chain: [Buffer.from(certificate)], bundle, expiresMs: Date.now() + lifeMs });
    });
}

/** A proxy that begins; capture answers from what it keeps. */
function begin(): NodeMembership {
  membership = new NodeMembership({
    address,
    node: 'far',
    tokenFile: join(folder, 'token'),
    caFile: join(folder, 'ca.crt'),
    vault: {
      putSecret: (place, secret) => void kept.set(place, secret),
      requestSecret: (place) => queueMicrotask(() => membership.secretArrived(kept.get(place) ?? null)),
      dropSecret: () => {},
    },
    timers: systemTimers,
    clock: new ControllerClock({ timers: systemTimers, wallClock: Date.now, log: () => {} }),
    random: () => 0,
    log: (_level, message) => void logged.push(message),
  });
  membership.captureReady();
  return membership;
}

test('joins with its token, trusts the mesh`s roots from then on, and keeps its identity in the vault', async () => {
  await serve(controllerSpiffeId('mesh.test'));
  await begin().ready;
  expect(asked).toEqual([{ token: 'weft.token', proven: 'far' }]);
  expect(membership.tls()).toMatchObject({
    ca: toPem('CERTIFICATE', authority.root),
    controllerId: 'spiffe://mesh.test/weft/controller',
    key: expect.stringMatching(/PRIVATE KEY/),
  });
  expect(membership.statuses).toMatchObject([{ spiffeId: nodeId, state: { kind: 'ready' } }]);
  expect([...kept.keys()]).toEqual([nodeSecretName]);
  expect(logged.join()).not.toMatch(/weft\.token|PRIVATE/);
});

test('a proxy that restarts finds its identity in the vault: no token, no controller, no CA file', async () => {
  await serve(controllerSpiffeId('mesh.test'));
  await begin().ready;
  const { cert } = membership.tls();
  membership.close();
  server?.forceShutdown();
  rmSync(join(folder, 'token'));
  rmSync(join(folder, 'ca.crt'));
  await begin().ready;
  expect(membership.tls()).toMatchObject({ cert, ca: toPem('CERTIFICATE', authority.root) });
  expect(asked).toHaveLength(1);
});

test('renews by its certificate, without a token, and says that connections are to be made anew', async () => {
  await serve(controllerSpiffeId('mesh.test'));
  lifeMs = 4_000;
  await begin().ready;
  const { cert } = membership.tls();
  await new Promise<void>((resolve) => membership.onReplaced(resolve));
  expect(asked.map(({ token }) => token)).toEqual(['weft.token', '']);
  expect(membership.tls().cert).not.toBe(cert);
});

test.each([
  ['a workload', 'spiffe://mesh.test/ns/shop/sa/cart', true],
  ['a node', 'spiffe://mesh.test/weft/node/other', true],
  ['the controller of another authority', 'spiffe://mesh.test/weft/controller', false],
])('%s in the place of the controller gets no token', async (_who, name, own) => {
  await serve(name, own ? authority : await TestAuthority.create('other', Date.now()));
  begin();
  await waitFor(() => logged.length > 0);
  expect(logged[0]).toMatch(/this node cannot join: no controller of a mesh answers at/);
  expect(asked).toEqual([]);
});

test('a token that is refused is told by its name, and tried again', async () => {
  await serve(controllerSpiffeId('mesh.test'));
  answer = 'refuse';
  begin();
  await waitFor(() => membership.statuses[0]?.problem != null);
  expect(membership.statuses[0]?.problem).toEqual({ reason: 'node_token_replayed', message: 'it was used' });
  answer = 'issue';
  writeFileSync(join(folder, 'token'), 'weft.another');
  await membership.ready;
  expect(asked.at(-1)?.token).toBe('weft.another');
});

/** Looks after each turn of the event loop, for five seconds at most. */
async function waitFor(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`it did not happen; logged: ${logged.join('; ')}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
