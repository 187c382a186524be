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
import { KubernetesSource, type KubernetesSourceOptions } from './kubernetes-source.js';

export interface ClusterFlags {
  /** null: in the cluster. */
  readonly kubeconfig: string | null;
  /** Weft's own namespace. */
  readonly namespace: string;
  /** Whether statuses are written. */
  readonly status: boolean;
}

export interface OpenedCluster {
  readonly source: KubernetesSource;
  readonly cluster: ClusterSettings;
  /** null: none are written. */
  readonly statuses: ClusterStatuses | null;
  readonly counts: () => ClusterCounts;
}

/** Throws where there are no credentials. */
export function openCluster({ kubeconfig, namespace, status }: ClusterFlags, log: Log): OpenedCluster {
  const client = new ApiClient(loadConfig(kubeconfig));
  const onTrouble = (message: string) => log.error(message, { server: client.server });
  // A pod's name may come again (StatefulSet); a process must not take itself for its predecessor.
  const self = `${hostname()}_${randomUUID()}`;
  const statuses = status ? new ClusterStatuses({ client, namespace, self, log }) : null;
  const observe: KubernetesSourceOptions['observe'] = (type, deltas) => statuses?.observe(type, deltas);
  const source = new KubernetesSource({ client, onTrouble, observe });
  return {
    source,
    statuses,
    counts: () => ({
      leading: statuses?.leading ?? false,
      statusesWritten: statuses?.written ?? 0,
      watches: source.watches(),
    }),
    // The cluster's own DNS and proxy must work before weft does.
    cluster: { excludedNamespaces: ['kube-system', namespace] },
  };
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
