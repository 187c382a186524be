/** What a machine gets that lies about being a node: refused by its name, counted under it, and recorded. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { awaitEvent } from './harness/await-event.js';
import { Mesh } from './harness/mesh.js';
import { parseMetrics, sumSamples } from './harness/metrics.js';
import { RogueAuthority } from './harness/rogue-authority.js';
import { type Answer, RogueNode } from './harness/rogue-node.js';

const spiffeId = (account: string) => `spiffe://test.example/ns/test/sa/${account}`;
const certificates = 'weft_controller_certificate_refusals_total';
const connections = 'weft_controller_node_refusals_total';

describe('a machine that lies about being a node', () => {
  let mesh: Mesh;
  let address: string;
  let authority: string;

  beforeAll(async () => {
    address = `127.0.0.1:${await freePort()}`;
    mesh = await Mesh.open({
      pods: [{ name: 'client' }, { name: 'server' }, { name: 'distant', node: 'far' }],
      services: [],
      weft: () => ({ more: ['--listen', address] }),
    });
    authority = join(mesh.weft.state, 'controller/authority');
  });
  afterAll(() => mesh?.close());

  const machine = () => new RogueNode(address, readFileSync(join(authority, 'ca.crt'), 'utf8'));
  const token = async (node: string, ttl = '5m'): Promise<string> => {
    const { code, stdout, stderr } = await mesh.weft.command('token', 'create', '--node', node, '--ttl', ttl);
    expect([code, stderr]).toEqual([0, expect.stringContaining(node)]);
    return stdout.trim();
  };
  const joined = async (): Promise<RogueNode> => {
    const node = machine();
    const proof = await node.join(await token('far'), 'far');
    if (typeof proof === 'string') throw new Error(`it could not join: ${proof}`);
    node.proof = proof;
    return node;
  };
  const count = async (counter: string, reason: string) =>
    sumSamples(await parseMetrics(await mesh.weft.controllerMetrics()), counter, { reason });

  async function expectRefusal(reason: string, counter: string, attack: () => Promise<Answer>) {
    const [before, said] = [await count(counter, reason), mesh.weft.process.stderr.length];
    expect(await attack()).toBe(reason);
    expect(await count(counter, reason)).toBe(before + 1);
    await awaitEvent('a record of it', 5_000, () =>
      /^controller warn: .* audit=(certificate|node)-refused/m.test(mesh.weft.process.stderr.slice(said)),
    );
  }

  test('who has joined gets certificates of what runs there: so the rest fail for what is wrong in them', async () => {
    const node = await joined();
    const answer = await node.issue('far', 'test.distant', spiffeId('distant'));
    expect(answer).toMatchObject({ certificate: expect.stringContaining('BEGIN CERTIFICATE') });
  });

  test('the identity of a workload of another node: identity_not_on_node', async () => {
    const node = await joined();
    await expectRefusal('identity_not_on_node', certificates, () =>
      node.issue('far', 'test.client', spiffeId('client')),
    );
  });

  test('the identity of a workload that does not exist: the same answer', async () => {
    const node = await joined();
    await expectRefusal('identity_not_on_node', certificates, () =>
      node.issue('far', 'test.nobody', spiffeId('nobody')),
    );
  });

  test('another identity for a workload of its own: identity_mismatch', async () => {
    const node = await joined();
    await expectRefusal('identity_mismatch', certificates, () =>
      node.issue('far', 'test.distant', spiffeId('client')),
    );
  });

  test('in the name of another node, or without proof of any: node_not_authenticated', async () => {
    const node = await joined();
    const ask = () => node.issue('local', 'test.client', spiffeId('client'));
    await expectRefusal('node_not_authenticated', certificates, ask);
    node.proof = null;
    await expectRefusal('node_not_authenticated', certificates, ask);
  });

  test('with the certificate of a workload instead of a node`s: cut in the handshake', async () => {
    const node = machine();
    const thief = await RogueAuthority.withStolenKey(authority, join(mesh.lab.folder, 'rogue'));
    const { certificate, key } = await thief.issue({ uris: [spiffeId('client')] });
    node.proof = { certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') };
    const before = await count(connections, 'node_not_authenticated');
    const answer = await node.issue('local', 'test.client', spiffeId('client'));
    expect(typeof answer).toBe('string');
    expect(await count(connections, 'node_not_authenticated')).toBeGreaterThan(before);
  });

  test('a token that was used already: node_token_replayed', async () => {
    const spent = await token('far');
    expect(await machine().join(spent, 'far')).toHaveProperty('certificate');
    await expectRefusal('node_token_replayed', certificates, () => machine().join(spent, 'far'));
  });

  test('a stolen token, used for another node: node_token_unknown, and its owner can still join', async () => {
    const stolen = await token('far');
    await expectRefusal('node_token_unknown', certificates, () => machine().join(stolen, 'local'));
    expect(await machine().join(stolen, 'far')).toHaveProperty('certificate');
  });

  test('a token that buys another name: identity_mismatch', async () => {
    const bought = await token('far');
    await expectRefusal('identity_mismatch', certificates, () =>
      machine().join(bought, 'far', 'spiffe://test.example/weft/controller'),
    );
  });

  test('a token whose time is over: node_token_expired', async () => {
    const short = await token('far', '1s');
    const over = Date.now() + 1_000;
    await awaitEvent('its time to be over', 5_000, () => Date.now() > over);
    await expectRefusal('node_token_expired', certificates, () => machine().join(short, 'far'));
  });
});

/** A TCP port of the loopback that nobody has now. */
function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}
