/**
 * A replica of the controller: as the program, but its socket takes agents of any node, and it is reached by other
 * replicas on this machine. Prints a line once agents can connect; logs to standard error.
 * usage: replica-program SOCKET NAMESPACE AUTHORITY KUBECONFIG
 */
import { BuiltInIssuer } from '../../../controller/authority/built-in-issuer.js';
import { createAuthority } from '../../../controller/authority/create-authority.js';
import { Controller } from '../../../controller/controller.js';
import { openCluster } from '../../../controller/kubernetes/open-cluster.js';
import { createLog } from '../../../controller/status/log.js';

const [, , socket = '', namespace = '', authority = '', config = ''] = process.argv;
const log = createLog(
  (line) => process.stderr.write(line),
  () => new Date(),
);
const settings = { kubeconfig: config, namespace, status: true };
const { source, cluster, statuses, lease } = openCluster(settings, log);
const issuer = new BuiltInIssuer({ folder: authority, create: true, announceMs: 0 });
const controller = new Controller({
  source,
  build: { trustDomain: 'test.mesh', node: '', cluster },
  log,
  createAuthority: (surroundings) => createAuthority(issuer, 3_600_000, surroundings),
  now: () => Date.now(),
  onChange: () => statuses?.changed(),
  onLead: (leads) => statuses?.lead(leads),
  lease: lease ?? undefined,
  advertise: '127.0.0.1',
});
statuses?.reportFrom(() => ({
  version: controller.publisher.snapshot?.version ?? 0,
  problems: controller.problems,
  nodes: controller.nodes(),
}));
await controller.start({ socket, nodes: { host: '127.0.0.1', port: 0 } });
process.once('SIGTERM', () => void controller.close().finally(() => process.exit(0)));
process.stdout.write('ready\n');
