import { awaitEvent } from '../../netns/harness/await-event.js';
import {
  compareInventories,
  heldBpfObjects,
  type Inventory,
  inventoryKinds,
  livingBpfObjects,
  takeInventory,
} from '../../netns/harness/inventory.js';
import { labRemains } from '../../netns/harness/lab-folder.js';
import { runCommand } from '../../netns/harness/run-command.js';
import type { Demo } from '../demo.js';

/** Rules of both packet filters of a namespace. Undefined: the machine's own. */
export async function readPacketFilters(netns?: string): Promise<string> {
  const enter = netns === undefined ? [] : ['ip', 'netns', 'exec', netns];
  const rules: string[] = [];
  for (const argv of [['iptables-save'], ['ip6tables-save'], ['nft', 'list', 'ruleset']]) {
    rules.push(await runCommand([...enter, ...argv]));
  }
  return rules
    .join('')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .join('\n');
}

/** Step 10, while the mesh runs: no packet filter anywhere. */
export async function showNoRules({ lab, narrator }: Demo, before: string): Promise<void> {
  narrator.command('iptables-save; ip6tables-save; nft list ruleset   # here, on the node and in each pod');
  const own = await readPacketFilters();
  narrator.seen(own === '' ? '(nothing)' : own);
  narrator.check('the machine has the rules that it had before the demo', own === before, own);
  const spaces = [
    ...lab.nodes.map(({ netns }) => netns),
    ...[...lab.pods.values()].map(({ netns }) => netns),
  ];
  const found = [];
  for (const netns of spaces) found.push(await readPacketFilters(netns));
  narrator.check(
    `${spaces.length} namespaces, no rule in any`,
    found.every((rules) => rules === ''),
    found.join('\n'),
  );
}

/** Step 10, at the end: ends everything, and compares the machine with what it was. */
export async function leaveNothing({ lab, narrator, weft, second }: Demo, before: Inventory): Promise<void> {
  const held = heldBpfObjects(lab.cgroup);
  const during = takeInventory(inventoryFolders);
  narrator.command('kill weft; weft clean; ip netns del …');
  for (const node of [second, weft]) {
    await node.stop();
    await node.clean();
  }
  await lab.close();
  // The kernel frees programs and maps a moment after their last reference is gone (RCU).
  await awaitEvent('the kernel to free everything', 10_000, () => livingBpfObjects(held).length === 0).catch(
    () => undefined,
  );
  const after = takeInventory(inventoryFolders);
  const row = (name: string, ...counts: (number | string)[]) =>
    name.padEnd(12) + counts.map((count) => String(count).padStart(8)).join('');
  narrator.seen(
    [
      row('', 'before', 'during', 'after'),
      ...inventoryKinds.map((kind) => row(kind, before[kind].size, during[kind].size, after[kind].size)),
    ].join('\n'),
  );
  narrator.check('weft had its programs, maps and links in the kernel', held.size > 0);
  const mark = [weft.pinFolder, second.pinFolder, lab.cgroup, lab.folder, `${lab.id}-`];
  const added = [...compareInventories(before, after).values()].flat();
  const left = [
    ...livingBpfObjects(held),
    ...added.filter((name) => mark.some((start) => name.startsWith(start))),
  ];
  narrator.check(
    'no program, link, map, pin, namespace, cgroup, interface or file of it is left',
    left.length === 0 && labRemains(lab.id).length === 0,
    left.join('\n'),
  );
  if (added.length === 0) narrator.check('the machine is as it was before the demo', true);
  else narrator.say(`(meanwhile other programs of this machine made ${added.slice(0, 8).join(', ')})`);
}

/** Where weft and the demo write. */
export const inventoryFolders = ['/run/weft', '/run/weft-lab', '/var/lib/weft', '/etc/weft'];
