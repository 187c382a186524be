/** The shop on two nodes: a controller on the first, which the second joins. */
import { join } from 'node:path';
import { awaitEvent } from '../netns/harness/await-event.js';
import { Lab } from '../netns/harness/lab.js';
import { linkAddresses, linkDevice } from '../netns/harness/lab-node.js';
import { parseMetrics } from '../netns/harness/metrics.js';
import { Shop } from '../netns/harness/shop.js';
import { Weft } from '../netns/harness/weft.js';
import { WireCapture } from '../netns/harness/wire-capture.js';
import { type Demo, showWeft } from './demo.js';
import type { Narrator } from './narrator.js';

/** Where node-a's controller listens for nodes. */
const controller = `${linkAddresses[0]}:15012`;
const farPods = ['catalog-v2', 'cart', 'stock', 'feed', 'echo'];

export async function openShop(labName: string, narrator: Narrator): Promise<Demo> {
  narrator.say(
    'two nodes with a bridge each, joined by a routed link; web and batch, who only call, live on',
  );
  narrator.say(`node-a with catalog-v1 and static; ${farPods.join(', ')} on node-b. Each pod is a`);
  narrator.say('network namespace of this machine (ip netns list), and so is each node.');
  const lab = await Lab.open(labName);
  const node = await lab.addNode('node-b');
  const shop = await Shop.create(lab, { node, names: farPods });
  await shop.startServers();
  narrator.command(`weft run -f ${shop.manifests} --node node-a --listen ${controller}`);
  const more = ['--node', 'node-a', '--listen', controller];
  const weft = await Weft.start(lab, { manifests: shop.manifests, more, netns: lab.node.netns });
  const second = await joinSecond({ narrator, lab, weft }, node);
  await awaitEvent('every pod to speak TLS', 30_000, () => speaksTls(weft));
  const status = await showWeft({ narrator, weft }, 'status');
  narrator.check('both nodes are up; every pod is in the mesh and speaks TLS', status.code === 0);
  const wire = await WireCapture.start(lab, 'net 10.66.0.0/16 or net fd66::/48', linkDevice);
  const first = await parseMetrics(await weft.metricsText());
  const scrapes = { startMs: performance.now(), first, beforeKill: first };
  return { lab, shop, weft, second, wire, narrator, scrapes };
}

async function joinSecond(
  { narrator, lab, weft }: Pick<Demo, 'narrator' | 'lab' | 'weft'>,
  node: Parameters<typeof Weft.join>[1],
): Promise<Weft> {
  narrator.command(`weft token create --node ${node.name} --ttl 5m >token`);
  const made = await weft.command('token', 'create', '--node', node.name, '--ttl', '5m');
  narrator.seen(made.stderr);
  narrator.command(
    `weft node --controller ${controller} --node ${node.name} --token-file token --ca-file ca.crt`,
  );
  const ca = join(weft.state, 'controller/authority/ca.crt');
  const second = await Weft.join(lab, node, { controller, token: made.stdout.trim(), ca });
  narrator.check('node-b joined over TLS with a token that is good once', made.code === 0);
  return second;
}

interface WorkloadResource {
  readonly kind: string;
  readonly body: { readonly transport?: string };
}

/** By node-a's proxy: every workload has reached the phase in which TLS is demanded of it. */
async function speaksTls(weft: Weft): Promise<boolean> {
  const { resources } = JSON.parse(await weft.admin('/config')) as { resources: WorkloadResource[] };
  const workloads = resources.filter(({ kind }) => kind === 'workload');
  return workloads.length > 0 && workloads.every(({ body }) => body.transport === 'weft-tls');
}
