/** Reads objects of the cluster. Refusals say which right is missing and which role gives it. */
import type { KubeConfig } from '@kubernetes/client-node';
import { type ApiAnswer, ApiClient } from '../../controller/kubernetes/api-client.js';
import { CommandError } from '../usage-error.js';

const silenceMs = 15_000;
const pageSize = '500';

/** As much of an object as every kind has. */
export interface ApiObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly generation?: number;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string }[];
  };
}

/** A kind's place in the API. */
export interface ApiKind {
  /** `/api/v1`, or `/apis/GROUP/VERSION`. */
  readonly base: string;
  readonly plural: string;
}

export const kinds = {
  namespaces: { base: '/api/v1', plural: 'namespaces' },
  nodes: { base: '/api/v1', plural: 'nodes' },
  pods: { base: '/api/v1', plural: 'pods' },
  services: { base: '/api/v1', plural: 'services' },
  configMaps: { base: '/api/v1', plural: 'configmaps' },
  leases: { base: '/apis/coordination.k8s.io/v1', plural: 'leases' },
  daemonSets: { base: '/apis/apps/v1', plural: 'daemonsets' },
  deployments: { base: '/apis/apps/v1', plural: 'deployments' },
  replicaSets: { base: '/apis/apps/v1', plural: 'replicasets' },
  statefulSets: { base: '/apis/apps/v1', plural: 'statefulsets' },
  endpointSlices: { base: '/apis/discovery.k8s.io/v1', plural: 'endpointslices' },
  crds: { base: '/apis/apiextensions.k8s.io/v1', plural: 'customresourcedefinitions' },
} as const satisfies Readonly<Record<string, ApiKind>>;

/** The API refused: `missing` names the right. */
export class ForbiddenError extends CommandError {}

export class ClusterApi {
  readonly #client: ApiClient;
  readonly server: string;

  constructor(config: KubeConfig) {
    this.#client = new ApiClient(config);
    this.server = this.#client.server;
  }

  close(): void {
    this.#client.close();
  }

  /** null where there is no such object. Throws CommandError. */
  async get<Found extends ApiObject>(kind: ApiKind, name: string, namespace?: string): Promise<Found | null> {
    const answer = await this.#read(`${place(kind, namespace)}/${encodeURIComponent(name)}`, {});
    if (answer.status === 404) return null;
    return this.#check(answer, 'get', kind, namespace).body as Found;
  }

  /** All objects, page by page; null where the API has no such kind. Throws CommandError. */
  async list<Found extends ApiObject>(
    kind: ApiKind,
    namespace?: string | null,
    labelSelector?: string,
  ): Promise<Found[] | null> {
    const found: Found[] = [];
    let more = '';
    do {
      const query = {
        limit: pageSize,
        ...(labelSelector === undefined ? {} : { labelSelector }),
        ...(more === '' ? {} : { continue: more }),
      };
      const answer = await this.#read(place(kind, namespace ?? undefined), query);
      if (answer.status === 404) return null;
      const { body } = this.#check(answer, 'list', kind, namespace ?? undefined);
      const page = body as { items: Found[]; metadata?: { continue?: string } };
      found.push(...page.items);
      more = page.metadata?.continue ?? '';
    } while (more !== '');
    return found;
  }

  /** A document that is no object, such as /version. Throws CommandError. */
  async document<Found>(path: string): Promise<Found> {
    const answer = await this.#read(path, {});
    if (answer.status !== 200)
      throw new CommandError(`${this.server} answered ${path} with ${answer.status}`);
    return answer.body as Found;
  }

  async #read(path: string, query: Readonly<Record<string, string>>): Promise<ApiAnswer> {
    try {
      const request = { method: 'GET', path, query, silenceMs } as const;
      return await this.#client.send(request, AbortSignal.timeout(60_000));
    } catch (error) {
      throw new CommandError(`the API server ${this.server} cannot be asked`, { cause: error });
    }
  }

  #check(answer: ApiAnswer, verb: string, { plural }: ApiKind, namespace: string | undefined): ApiAnswer {
    if (answer.status === 200) return answer;
    const said = (answer.body as { message?: string } | null)?.message ?? '';
    if (answer.status === 401) {
      throw new CommandError(`${this.server} does not know who you are: renew the kubeconfig's credentials`);
    }
    if (answer.status !== 403) {
      throw new CommandError(`${this.server} answered ${answer.status} to ${verb} ${plural}: ${said}`);
    }
    throw new ForbiddenError(describeMissing(verb, plural, namespace), { cause: new Error(said) });
  }
}

/** What is missing, and the command that gives it. */
export function describeMissing(verb: string, resource: string, namespace: string | undefined): string {
  const where = namespace === undefined ? 'in all namespaces' : `in namespace ${namespace}`;
  return (
    `you may not ${verb} ${resource} ${where}: ask for ClusterRole weft-viewer ` +
    '(kubectl create clusterrolebinding NAME --clusterrole=weft-viewer --user=YOU, or viewers in the chart)'
  );
}

function place({ base, plural }: ApiKind, namespace: string | undefined): string {
  return namespace === undefined ? `${base}/${plural}` : `${base}/namespaces/${namespace}/${plural}`;
}
