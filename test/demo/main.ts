/** `make demo`: a shop of real services joins the mesh, and each promise is shown and checked, one by one. */
import { takeInventory } from '../netns/harness/inventory.js';
import { Lab } from '../netns/harness/lab.js';
import { removeOwnLab } from '../netns/harness/lab-folder.js';
import { parseMetrics } from '../netns/harness/metrics.js';
import { Shop } from '../netns/harness/shop.js';
import { Weft } from '../netns/harness/weft.js';
import { type Demo, showWeft } from './demo.js';
import { Narrator } from './narrator.js';
import { carryProtocols } from './steps/carry-protocols.js';
import { editUnderLoad } from './steps/edit-under-load.js';
import { inventoryFolders, leaveNothing, readPacketFilters, showNoRules } from './steps/leave-nothing.js';
import { reachService } from './steps/reach-service.js';
import { refuseStrangers } from './steps/refuse-strangers.js';
import { routeRequests } from './steps/route-requests.js';
import { showMetrics } from './steps/show-metrics.js';
import { surviveKill } from './steps/survive-kill.js';

const labName = 'shop';

async function openShop(narrator: Narrator): Promise<Demo> {
  narrator.say(
    'a node, and eight pods on its bridge: web and batch only call; nginx, http.server, redis and',
  );
  narrator.say('a WebSocket server answer. Each is a network namespace of this machine (ip netns list).');
  const lab = await Lab.open(labName);
  const shop = await Shop.create(lab);
  await shop.startServers();
  narrator.command(`weft run -f ${shop.manifests} --state ${lab.folder}/state`);
  const weft = await Weft.start(lab, { manifests: shop.manifests });
  const status = await showWeft({ narrator, weft }, 'status');
  narrator.check('controller, capture and proxy are up; every pod is in the mesh', status.code === 0);
  const first = await parseMetrics(await weft.metricsText());
  return { lab, shop, weft, narrator, scrapes: { startMs: performance.now(), first, beforeKill: first } };
}

async function runSteps(narrator: Narrator): Promise<void> {
  const rules = await readPacketFilters();
  const before = takeInventory(inventoryFolders);
  const demo = await openShop(narrator);
  await narrator.step('A service address that exists nowhere', () => reachService(demo));
  await narrator.step('Routes: host, path, header, method, query, canary, edits', () => routeRequests(demo));
  await narrator.step('Who may do what', () => refuseStrangers(demo));
  await narrator.step('WebSocket, plain TCP, IPv6', () => carryProtocols(demo));
  await narrator.step('One hundred edits under load', () => editUnderLoad(demo));
  await narrator.step('The proxy is killed', () => surviveKill(demo));
  await narrator.step('What was measured', () => showMetrics(demo));
  await narrator.step('No rules, and nothing left behind', async () => {
    await showNoRules(demo, rules);
    await leaveNothing(demo, before);
  });
}

const narrator = new Narrator();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    process.stderr.write('\ninterrupted: removing the shop\n');
    removeOwnLab(labName).finally(() => process.exit(130));
  });
}
try {
  await runSteps(narrator);
} catch (error) {
  narrator.check('the shop joins the mesh', false, (error as Error).stack ?? String(error));
} finally {
  await removeOwnLab(labName);
}
narrator.finish();
process.exitCode = narrator.failed === 0 ? 0 : 1;
