/** The weft of a cluster: every node's proxy and every controller, asked through the API server. */
import { type Asked, type MeshSource, parseAnswer } from '../mesh-source.js';
import { CommandError, describeError } from '../usage-error.js';
import { askPod } from './ask-pod.js';
import { type Installation, requireWeft } from './find-weft.js';
import type { Cluster } from './open-cluster.js';
import { describePod, type Pod } from './pod.js';

/** The chart's --admin-port of the proxy and of the controller. */
const proxyPort = 15021;
const controllerPort = 15016;
/** Port-forwards at one time: each is a connection of the API server to a kubelet. */
const atOnce = 16;

export class ClusterMesh implements MeshSource {
  readonly kind = 'cluster';
  readonly cluster: Cluster;
  #installation: Promise<Installation> | undefined;

  constructor(cluster: Cluster) {
    this.cluster = cluster;
  }

  /** Rejects with CommandError where weft is not installed. */
  get installation(): Promise<Installation> {
    this.#installation ??= requireWeft(this.cluster.api);
    return this.#installation;
  }

  async askProxies<Answer>(path: string): Promise<Asked<Answer>[]> {
    return (await this.readProxies(path)).map(parseAnswer<Answer>);
  }

  async readProxies(path: string): Promise<Asked<string>[]> {
    const { agents } = await this.installation;
    const sorted = [...agents].sort(([a], [b]) => (a < b ? -1 : 1));
    return this.#askAll(sorted, proxyPort, path);
  }

  /** The proxy of one node. */
  async askProxy<Answer>(node: string, path: string): Promise<Asked<Answer>> {
    const pod = (await this.installation).agents.get(node);
    if (pod === undefined) return { name: node, ok: false, error: `node ${node} has no agent of weft` };
    return parseAnswer<Answer>(await this.#ask(node, pod, proxyPort, path));
  }

  async askControllers<Answer>(path: string): Promise<Asked<Answer>[]> {
    const { controllers } = await this.installation;
    const named = controllers.map((pod) => [pod.metadata.name, pod] as const);
    return (await this.#askAll(named, controllerPort, path)).map(parseAnswer<Answer>);
  }

  close(): void {
    this.cluster.api.close();
  }

  async #askAll(
    pods: readonly (readonly [string, Pod])[],
    port: number,
    path: string,
  ): Promise<Asked<string>[]> {
    const asked = new Array<Asked<string>>(pods.length);
    let next = 0;
    const work = async () => {
      for (let at = next++; at < pods.length; at = next++) {
        const [name, pod] = pods[at] as readonly [string, Pod];
        asked[at] = await this.#ask(name, pod, port, path);
      }
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, pods.length) }, work));
    return asked;
  }

  async #ask(name: string, pod: Pod, port: number, path: string): Promise<Asked<string>> {
    if (pod.status?.phase !== 'Running') {
      const said = `its pod ${describePod(pod)} does not run (${describeWaiting(pod)})`;
      return { name, ok: false, error: said };
    }
    const { name: podName, namespace = '' } = pod.metadata;
    try {
      const answer = await askPod(this.cluster.config, { namespace, pod: podName, port }, path);
      return { name, ok: true, answer };
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      return { name, ok: false, error: describeError(error) };
    }
  }
}

function describeWaiting({ status }: Pod): string {
  const waiting = status?.containerStatuses?.find(({ state }) => state?.waiting?.reason !== undefined);
  return waiting === undefined
    ? (status?.phase ?? 'unknown')
    : `container ${waiting.name}: ${waiting.state?.waiting?.reason}`;
}
