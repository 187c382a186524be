/** Whether what the chart installs is there and runs. */
import { X509Certificate } from 'node:crypto';
import { isReady } from '../cluster/pod.js';
import { formatAge } from '../show/format-table.js';
import type { ClusterFacts, Facts } from './facts.js';
import { error, type Finding, nameFew, ok, warning } from './finding.js';

const daysMs = 86_400_000;

export function checkInstallation(facts: Facts, cluster: ClusterFacts): Finding[] {
  const { installation } = cluster;
  if (installation === null) {
    const hint =
      'helm install weft deploy/chart -n weft-system --create-namespace (docs/kubernetes.md); --before asks only what it needs';
    return [error('weft-installed', 'weft is not installed', hint)];
  }
  return [
    ok('weft-installed', `weft is installed in namespace ${installation.namespace}`),
    checkControllers(cluster),
    checkLease(facts, cluster),
    checkAgents(cluster),
    checkNodes(cluster),
    checkRoots(facts, cluster),
    checkPods(cluster),
  ];
}

function checkControllers({ deployment, installation }: ClusterFacts): Finding {
  const id = 'controller-replicas';
  const wanted = deployment?.spec?.replicas ?? installation?.controllers.length ?? 0;
  const ready = installation?.controllers.filter(isReady).length ?? 0;
  const sentence = `${ready} of ${wanted} controllers are ready`;
  const hint = `kubectl -n ${installation?.namespace} describe pods -l app.kubernetes.io/name=weft-controller`;
  if (ready === 0) return error(id, `${sentence}: no change reaches any node`, hint);
  return ready < wanted ? warning(id, sentence, hint) : ok(id, sentence);
}

/** Without a holder statuses are not written and nobody comes into TLS or out of it. */
function checkLease({ nowMs }: Facts, { lease, installation }: ClusterFacts): Finding {
  const id = 'controller-lease';
  const { holderIdentity: holder = '', renewTime, leaseDurationSeconds = 15 } = lease?.spec ?? {};
  const hint = 'read the log of the controllers; they may not reach the API server';
  if (holder === '' || renewTime === undefined) return error(id, 'no controller holds the lease', hint);
  const ageMs = nowMs - Date.parse(renewTime);
  // The holder's clock is not this machine's.
  if (ageMs > (leaseDurationSeconds + 30) * 1000) {
    return error(id, `the lease's holder ${holder} was last heard of ${formatAge(ageMs)} ago`, hint);
  }
  const known = installation?.controllers.some(({ metadata }) => holder.includes(metadata.name)) ?? false;
  if (!known)
    return warning(
      id,
      `the lease is held by ${holder}, which is no running controller`,
      'wait until it ends',
    );
  return ok(id, `${holder} holds the lease and renews it`);
}

function checkAgents({ installation, daemonSet }: ClusterFacts): Finding {
  const id = 'agents-ready';
  const agents = [...(installation?.agents ?? [])];
  const ready = agents.filter(([, pod]) => isReady(pod)).length;
  const wanted = daemonSet?.status?.desiredNumberScheduled ?? agents.length;
  const sentence = `${ready} of ${wanted} agents are ready`;
  if (ready >= wanted && wanted > 0) return ok(id, sentence);
  const late = agents.filter(([, pod]) => !isReady(pod)).map(([node]) => node);
  const hint = `kubectl -n ${installation?.namespace} logs on those nodes, containers capture and proxy`;
  return error(id, `${sentence}${late.length === 0 ? '' : `, not on ${nameFew(late)}`}`, hint);
}

function checkNodes({ nodes, installation }: ClusterFacts): Finding {
  const id = 'nodes-without-agent';
  const without = nodes
    .map(({ metadata }) => metadata.name)
    .filter((name) => !installation?.agents.has(name));
  if (without.length === 0) return ok(id, `each of ${nodes.length} nodes has an agent`);
  const hint =
    'meshed pods cannot run there: see node.nodeSelector, node.tolerations and the events of DaemonSet weft';
  return warning(id, `${without.length} of ${nodes.length} nodes have no agent: ${nameFew(without)}`, hint);
}

/** The root that ends first; certificates never outlive it. */
function checkRoots({ nowMs }: Facts, { roots }: ClusterFacts): Finding {
  const id = 'authority-roots';
  const ends = [...(roots ?? '').matchAll(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)].map(
    ([pem]) => Date.parse(new X509Certificate(pem).validTo),
  );
  const hint = 'rotate the root: docs/identity.md';
  if (ends.length === 0)
    return warning(id, 'the roots of the mesh (ConfigMap weft-roots) were not found', hint);
  const leftMs = Math.max(...ends) - nowMs;
  if (leftMs <= 0) return error(id, 'the root of the mesh has ended: nobody can prove anything', hint);
  const sentence = `the root of the mesh ends in ${formatAge(leftMs)}`;
  if (leftMs < 7 * daysMs) return error(id, sentence, hint);
  return leftMs < 30 * daysMs ? warning(id, sentence, hint) : ok(id, sentence);
}

function checkPods({ pods }: ClusterFacts): Finding {
  const id = 'pods-captured';
  const asked = pods.filter((one) => one.asked);
  const not = asked.filter(({ problem }) => problem !== '');
  if (not.length === 0) return ok(id, `all ${asked.length} pods that labels ask for are captured`);
  const names = not.map(
    ({ pod: { metadata }, problem }) => `${metadata.namespace}/${metadata.name}: ${problem}`,
  );
  return warning(
    id,
    `${not.length} of ${asked.length} labelled pods are not captured: ${nameFew(names)}`,
    'kubectl weft workloads -A tells each; weft.dev/mesh: disabled on a pod opts it out',
  );
}
