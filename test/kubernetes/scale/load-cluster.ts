/**
 * Fills a namespace of the real API server with services, their pods and slices, on nodes that are nothing but objects: no
 * kubelet runs any of it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import {
  type ApiAnswer,
  ApiClient,
  type ApiRequest,
  ApiTransportError,
} from '../../../controller/kubernetes/api-client.js';
import { asRecord } from '../../../controller/kubernetes/api-object.js';
import { loadConfig } from '../../../controller/kubernetes/open-cluster.js';
import { kubeconfig } from '../harness/cluster.js';
import {
  addressOf,
  extraAddressOf,
  nodeName,
  nodeOf,
  podOf,
  podsPerService,
  routeOf,
  serviceOf,
  sliceOf,
} from './objects.js';

/** How many requests are under way at once. */
const parallel = 24;
/** An API server that has too much to do says so, or nothing at all; so often it is asked again. */
const tries = 10;
const againMs = 1000;

export class LoadedCluster {
  readonly #client = new ApiClient(loadConfig(kubeconfig()));
  readonly #namespace: string;
  readonly #nodes: number;

  /** @param nodes pods are spread over so many */
  constructor(namespace: string, nodes: number) {
    this.#namespace = namespace;
    this.#nodes = nodes;
  }

  async addNodes(): Promise<void> {
    await runAll(this.#eachNode((number) => this.#send('POST', '/api/v1/nodes', nodeOf(number))));
  }

  async removeNodes(): Promise<void> {
    const remove = (number: number) => this.#send('DELETE', `/api/v1/nodes/${nodeName(number)}`, undefined);
    await runAll(this.#eachNode(remove));
  }

  /** Services `from` to `to` (without it), each with its pods and one slice. */
  async fill(from: number, to: number): Promise<void> {
    const core = `/api/v1/namespaces/${this.#namespace}`;
    const slices = `/apis/discovery.k8s.io/v1/namespaces/${this.#namespace}/endpointslices`;
    const jobs = Array.from({ length: to - from }, (_, index) => async () => {
      const number = from + index;
      await this.#send('POST', `${core}/services`, serviceOf(number));
      for (let pod = 0; pod < podsPerService; pod += 1) {
        const name = `p${number}-${pod}`;
        await this.#send('POST', `${core}/pods`, podOf(number, pod, this.#nodes));
        const status = {
          status: { phase: 'Running', podIPs: [{ ip: addressOf(number, pod, this.#nodes) }] },
        };
        await this.#send('PATCH', `${core}/pods/${name}/status`, status);
      }
      await this.#send('POST', slices, sliceOf(number, this.#nodes));
    });
    await runAll(jobs);
  }

  /** Writes a route of a service, as kubectl apply does; `weight` makes each version another one. */
  async applyRoute(number: number, weight: number): Promise<void> {
    const name = `r${number}`;
    const body = routeOf(number, weight);
    const collection = `/apis/gateway.networking.k8s.io/v1/namespaces/${this.#namespace}/httproutes`;
    const query = { fieldManager: 'scale', force: 'true' };
    await this.#send('PATCH', `${collection}/${name}`, body, 'application/apply-patch+yaml', query);
  }

  /** Changes the readiness of a service's first endpoint. */
  async setReady(number: number, ready: boolean): Promise<void> {
    const { endpoints } = sliceOf(number, this.#nodes);
    const [first, ...others] = endpoints;
    const slices = `/apis/discovery.k8s.io/v1/namespaces/${this.#namespace}/endpointslices`;
    await this.#send('PATCH', `${slices}/s${number}`, {
      endpoints: [{ ...first, conditions: { ready } }, ...others],
    });
  }

  /** A pod beside those of the services, with an address of its own. */
  async addPod(name: string, number: number): Promise<void> {
    const pods = `/api/v1/namespaces/${this.#namespace}/pods`;
    const pod = podOf(number, 0, this.#nodes);
    await this.#send('POST', pods, { ...pod, metadata: { ...pod.metadata, name: `${name}x` } });
    const podIPs = [{ ip: extraAddressOf(number, this.#nodes) }];
    await this.#send('PATCH', `${pods}/${name}x/status`, { status: { phase: 'Running', podIPs } });
  }

  close(): void {
    this.#client.close();
  }

  #eachNode(act: (number: number) => Promise<void>): (() => Promise<void>)[] {
    return Array.from({ length: this.#nodes }, (_, number) => () => act(number));
  }

  async #send(
    method: 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body: unknown,
    contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
    query: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const request = { method, path, query, body, contentType, silenceMs: 60_000 };
    const { status, body: said } = await this.#persist(request);
    // What an earlier try has done is there already, or gone.
    if (status < 300 || status === 409 || (method === 'DELETE' && status === 404)) return;
    throw new Error(`${method} ${path}: ${status} ${String(asRecord(said)?.message)}`);
  }

  async #persist(request: ApiRequest): Promise<ApiAnswer> {
    for (let left = tries - 1; ; left -= 1) {
      try {
        const answer = await this.#client.send(request, AbortSignal.timeout(120_000));
        if (left === 0 || (answer.status !== 429 && answer.status < 500)) return answer;
      } catch (error) {
        if (left === 0 || !(error instanceof ApiTransportError)) throw error;
      }
      await delay(againMs);
    }
  }
}

async function runAll(jobs: readonly (() => Promise<void>)[]): Promise<void> {
  const waiting = [...jobs];
  const work = async () => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) await job();
  };
  await Promise.all(Array.from({ length: parallel }, work));
}
