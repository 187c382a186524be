/** A node's agent that cannot reach any controller, nor be reached: a packet filter on its node drops what they say. */
import { getJson, onNode } from './cluster.js';
import { weftNamespace } from './release.js';

const table = 'weft-test-cut';
const port = 15012;

/** Returns how to join it again. Everything else on the node goes its way. */
export async function cutAgent(node: string): Promise<() => Promise<void>> {
  const { items } = (await getJson('-n', weftNamespace, 'pods', '-l', 'app.kubernetes.io/name=weft')) as {
    items: { spec: { nodeName: string }; status: { podIP: string } }[];
  };
  const rules = items
    .filter(({ spec }) => spec.nodeName === node)
    .flatMap(({ status: { podIP } }) => [
      `ip saddr ${podIP} tcp dport ${port} drop`,
      `ip daddr ${podIP} tcp sport ${port} drop`,
    ]);
  if (rules.length === 0) throw new Error(`${node} has no agent`);
  const chain = `chain forward { type filter hook forward priority -10; ${rules.join('; ')}; }`;
  await onNode(node, 'nft', `table inet ${table} { ${chain}; }`);
  return async () => void (await onNode(node, 'nft', 'delete', 'table', 'inet', table));
}
