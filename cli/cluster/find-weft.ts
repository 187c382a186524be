/** Finds weft's own pods, wherever it was installed. */
import { CommandError } from '../usage-error.js';
import { type ClusterApi, ForbiddenError, kinds } from './cluster-api.js';
import { isAlive, type Pod } from './pod.js';

/** Where the chart installs it, unless told otherwise. */
const usualNamespace = 'weft-system';

export interface Installation {
  readonly namespace: string;
  /** The DaemonSet's pods that are not leaving, by node. */
  readonly agents: ReadonlyMap<string, Pod>;
  readonly controllers: readonly Pod[];
}

/** null where no pod of weft is found. Throws CommandError. */
export async function findWeft(api: ClusterApi): Promise<Installation | null> {
  const pods = (await listParts(api)).filter(isAlive);
  const named = (name: string) => pods.filter(({ metadata }) => metadata.labels?.[nameLabel] === name);
  const [controllers, agents] = [named('weft-controller'), named('weft')];
  const namespaces = [
    ...new Set([...controllers, ...agents].map(({ metadata }) => metadata.namespace ?? '')),
  ];
  const [namespace] = namespaces;
  if (namespace === undefined) return null;
  if (namespaces.length > 1) {
    throw new CommandError(
      `weft runs in several namespaces (${namespaces.join(', ')}); one installation is meant`,
    );
  }
  return { namespace, controllers, agents: byNode(agents) };
}

/** As {@link findWeft}; throws CommandError where there is none. */
export async function requireWeft(api: ClusterApi): Promise<Installation> {
  const found = await findWeft(api);
  if (found !== null) return found;
  throw new CommandError(
    `weft is not installed in the cluster at ${api.server}: kubectl weft check tells what it needs, ` +
      'docs/kubernetes.md how to install it',
  );
}

const nameLabel = 'app.kubernetes.io/name';

/** Who may not look everywhere may still look where weft usually is. */
async function listParts(api: ClusterApi): Promise<Pod[]> {
  const selector = 'app.kubernetes.io/part-of=weft';
  try {
    return (await api.list<Pod>(kinds.pods, null, selector)) ?? [];
  } catch (error) {
    if (!(error instanceof ForbiddenError)) throw error;
    const found = await api.list<Pod>(kinds.pods, usualNamespace, selector).catch(() => null);
    if (found === null) throw error;
    return found;
  }
}

/** While an upgrade replaces a node's pod there are two: the newer one serves new connections. */
function byNode(agents: readonly Pod[]): Map<string, Pod> {
  const begun = ({ metadata }: Pod) => Date.parse(metadata.creationTimestamp ?? '');
  const nodes = [...agents]
    .sort((a, b) => begun(a) - begun(b))
    .flatMap((pod) => (pod.spec.nodeName === undefined ? [] : [[pod.spec.nodeName, pod] as const]));
  return new Map(nodes);
}
