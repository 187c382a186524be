/** A cluster as a source, with the credentials of a kubeconfig or of the pod that the controller runs in. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { KubeConfig } from '@kubernetes/client-node';
import { TokenReview } from '../authority/review-token.js';
import type { ClusterSettings } from '../resources/enrol-pods.js';
import type { Log } from '../status/log.js';
import type { ClusterCounts } from '../status/metrics.js';
import { ApiClient } from './api-client.js';
import { ClusterStatuses } from './cluster-statuses.js';
import { LeaseHolder } from './hold-lease.js';
import { KubernetesSource, type KubernetesSourceOptions } from './kubernetes-source.js';
import { usualLeaseTimes } from './leader-lease.js';

export interface ClusterFlags {
  /** null: in the cluster. */
  readonly kubeconfig: string | null;
  /** Weft's own namespace. */
  readonly namespace: string;
  /** Whether this controller takes part in holding the lease; where it does not, it writes no statuses either. */
  readonly status: boolean;
}

export interface OpenedCluster {
  readonly source: KubernetesSource;
  readonly cluster: ClusterSettings;
  /** null: none are written. */
  readonly statuses: ClusterStatuses | null;
  /** null: this controller decides about transport on its own. */
  readonly lease: LeaseHolder | null;
  readonly counts: () => ClusterCounts;
}

/** Throws where there are no credentials. */
export function openCluster({ kubeconfig, namespace, status }: ClusterFlags, log: Log): OpenedCluster {
  const client = new ApiClient(loadConfig(kubeconfig));
  const onTrouble = (message: string) => log.error(message, { server: client.server });
  const statuses = status ? new ClusterStatuses(client, log) : null;
  const observe: KubernetesSourceOptions['observe'] = (type, deltas) => statuses?.observe(type, deltas);
  const source = new KubernetesSource({ client, onTrouble, observe });
  return {
    source,
    statuses,
    lease: status ? openLease(client, { kubeconfig, namespace }, log) : null,
    counts: () => ({
      leading: statuses?.leading ?? false,
      statusesWritten: statuses?.written ?? 0,
      watches: source.watches(),
    }),
    // The cluster's own DNS and proxy must work before weft does.
    cluster: { excludedNamespaces: ['kube-system', namespace] },
  };
}

function openLease(
  client: ApiClient,
  { kubeconfig, namespace }: Pick<ClusterFlags, 'kubeconfig' | 'namespace'>,
  log: Log,
): LeaseHolder {
  const pod = hostname();
  return new LeaseHolder({
    client,
    namespace,
    name: 'weft-controller',
    // A pod's name may come again (StatefulSet); a process must not take itself for its predecessor.
    self: `${pod}_${randomUUID()}`,
    // In a pod there is no other process of the pod's name: the one before has ended.
    predecessors: kubeconfig === null ? `${pod}_` : undefined,
    times: usualLeaseTimes,
    now: () => new Date(),
    monotonicMs: () => performance.now(),
    onTrouble: (message) => log.warn(message),
  });
}

/** Reviews tokens of nodes' proxies: pods of service account `weft` in weft's own namespace. */
export function openTokenReview({ kubeconfig, namespace }: ClusterFlags, audience: string): TokenReview {
  const client = new ApiClient(loadConfig(kubeconfig));
  return new TokenReview({ client, audience, serviceAccount: { namespace, name: 'weft' } });
}

/** The current context of a kubeconfig, or the pod's own service account. Throws where it is not there. */
export function loadConfig(kubeconfig: string | null): KubeConfig {
  const config = new KubeConfig();
  if (kubeconfig !== null) {
    config.loadFromFile(kubeconfig);
    return config;
  }
  if (process.env.KUBERNETES_SERVICE_HOST === undefined) {
    throw new Error('there is no cluster around this process; fix: name one by --kubeconfig FILE');
  }
  config.loadFromCluster();
  return config;
}
