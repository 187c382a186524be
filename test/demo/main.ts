/** `make demo`: a shop of real services joins the mesh, and each promise is shown and checked, one by one. */
import { takeInventory } from '../netns/harness/inventory.js';
import { removeOwnLab } from '../netns/harness/lab-folder.js';
import { Narrator } from './narrator.js';
import { openShop } from './open-shop.js';
import { callGrpc } from './steps/call-grpc.js';
import { carryProtocols } from './steps/carry-protocols.js';
import { editUnderLoad } from './steps/edit-under-load.js';
import { inventoryFolders, leaveNothing, readPacketFilters, showNoRules } from './steps/leave-nothing.js';
import { reachService } from './steps/reach-service.js';
import { refuseStrangers } from './steps/refuse-strangers.js';
import { routeRequests } from './steps/route-requests.js';
import { showMetrics } from './steps/show-metrics.js';
import { surviveKill } from './steps/survive-kill.js';
import { watchWire } from './steps/watch-wire.js';

const labName = 'shop';

async function runSteps(narrator: Narrator): Promise<void> {
  const rules = await readPacketFilters();
  const before = takeInventory(inventoryFolders);
  const demo = await openShop(labName, narrator);
  await narrator.step('A service address that exists nowhere', () => reachService(demo));
  await narrator.step('What travels between the nodes', () => watchWire(demo));
  await narrator.step('Routes: host, path, header, method, query, canary, edits', () => routeRequests(demo));
  await narrator.step('Who may do what', () => refuseStrangers(demo));
  await narrator.step('WebSocket, plain TCP, IPv6', () => carryProtocols(demo));
  await narrator.step('gRPC between the nodes', () => callGrpc(demo));
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
