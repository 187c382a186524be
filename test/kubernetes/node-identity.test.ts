/** Who is a node to the controller of a real cluster: a token of that node's agent, reviewed by the API server, and nothing else. */
import { createNamespace, deleteNamespace, getJson } from './harness/cluster.js';
import { createToken, impersonate } from './harness/impostor.js';
import { installWeft, weftNamespace } from './harness/release.js';
import { clientNode, deployShop, shopNode } from './harness/shop.js';

let shop: string;
/** Names of the agents' pods, by node. */
let agents: Map<string, string>;

beforeAll(async () => {
  await installWeft();
  shop = await createNamespace({ 'weft.dev/mesh': 'enabled' });
  await deployShop(shop);
  const { items } = (await getJson('-n', weftNamespace, 'pods', '-l', 'app.kubernetes.io/name=weft')) as {
    items: { metadata: { name: string; deletionTimestamp?: string }; spec: { nodeName: string } }[];
  };
  const stay = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  agents = new Map(stay.map(({ metadata, spec }) => [spec.nodeName, metadata.name]));
}, 400_000);

afterAll(async () => {
  await deleteNamespace(shop);
});

const agentToken = (node: string, audience?: string) =>
  createToken(weftNamespace, 'weft', agents.get(node) ?? '', audience);

/** The uid of a pod of the shop. */
async function uidOf(app: string): Promise<string> {
  const { items } = (await getJson('-n', shop, 'pods', '-l', `app=${app}`)) as {
    items: { metadata: { uid: string } }[];
  };
  return items[0]?.metadata.uid ?? '';
}

test('a token is good for the node of its pod alone; of another audience, account or of no pod for none', async () => {
  const join = (token: string, node = clientNode) => ({ kind: 'join', token, node }) as const;
  const answers = await impersonate(clientNode, [
    join(await agentToken(clientNode), shopNode),
    join(await agentToken(clientNode, 'https://kubernetes.default.svc')),
    join(await createToken(weftNamespace, 'weft-controller', null)),
    join(await createToken(shop, 'default', null)),
    join(await createToken(weftNamespace, 'weft', null)),
    join('weft.made.up'),
    join(await agentToken(clientNode)),
  ]);
  expect(answers).toEqual([
    'node_not_authenticated',
    'node_token_unknown',
    'node_not_authenticated',
    'node_not_authenticated',
    'node_not_authenticated',
    'node_token_unknown',
    'given',
  ]);
});

test('who has joined as one node gets nothing of another, nor a name that the pod has not', async () => {
  const spiffeId = `spiffe://cluster.local/ns/${shop}/sa/default`;
  const issue = (node: string, workload: string, name = spiffeId) =>
    ({ kind: 'issue', node, workload, spiffeId: name }) as const;
  const [here, there] = [await uidOf('client'), await uidOf('cart-v1')];
  const token = await agentToken(clientNode);
  const answers = await impersonate(clientNode, [
    issue(clientNode, here),
    { kind: 'join', token, node: clientNode },
    issue(shopNode, there),
    issue(clientNode, there),
    issue(clientNode, here, `spiffe://cluster.local/ns/${weftNamespace}/sa/weft`),
    issue(clientNode, here),
  ]);
  expect(answers).toEqual([
    'node_not_authenticated',
    'given',
    'node_not_authenticated',
    'identity_not_on_node',
    'identity_mismatch',
    'given',
  ]);
});
