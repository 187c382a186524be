/** The cluster that the command line and the kubeconfig name, as kubectl reads them. */
import { KubeConfig } from '@kubernetes/client-node';
import { CommandError } from '../usage-error.js';
import { ClusterApi } from './cluster-api.js';

export interface ClusterFlags {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
}

export interface Cluster {
  readonly config: KubeConfig;
  readonly api: ClusterApi;
  /** The context's namespace, `default` where it has none. */
  readonly namespace: string;
}

/** Throws CommandError where the configuration cannot be read or names no cluster. */
export function openCluster({ kubeconfig, context }: ClusterFlags): Cluster {
  const config = new KubeConfig();
  try {
    if (kubeconfig === undefined) config.loadFromDefault();
    else config.loadFromFile(kubeconfig);
  } catch (error) {
    throw new CommandError(`the kubeconfig ${kubeconfig ?? ''} cannot be read`.replace('  ', ' '), {
      cause: error,
    });
  }
  if (context !== undefined) {
    const known = config.contexts.map(({ name }) => name);
    if (!known.includes(context)) {
      throw new CommandError(
        `the kubeconfig has no context ${context}; it has ${known.join(', ') || 'none'}`,
      );
    }
    config.setCurrentContext(context);
  }
  if (config.getCurrentCluster() === null) {
    throw new CommandError(
      'the kubeconfig names no current cluster: choose one by --context or --kubeconfig',
    );
  }
  const namespace = config.getContextObject(config.getCurrentContext())?.namespace ?? 'default';
  return { config, api: new ClusterApi(config), namespace };
}
