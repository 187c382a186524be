/** What the DaemonSet becomes when weft leaves: each node's pod cleans its node first, and then is ready and waits. */

interface Container {
  readonly name?: string;
  readonly image?: string;
  readonly args?: readonly string[];
  readonly volumeMounts?: readonly { readonly name?: string }[];
}

/** Where links and maps are pinned, the node's kept state, the socket's folder, and where weft-cni is installed. */
const neededVolumes = ['bpf', 'state', 'socket', 'cni-config', 'cni-program'];
/** Flags of capture that cleaning takes too. */
const keptFlags = /^--cni-(config|program)-folder=/;

/** Whether a DaemonSet was changed so already. */
export function isCleaning(daemonSet: Record<string, unknown>): boolean {
  const spec = daemonSet.spec as
    | { template?: { spec?: { initContainers?: readonly Container[] } } }
    | undefined;
  return spec?.template?.spec?.initContainers?.some(({ name }) => name === 'clean') === true;
}

/** A DaemonSet's new `spec`, made of its present one: its image, its power, its folders. Throws where it is not weft's. */
export function cleaningTemplate(daemonSet: Record<string, unknown>): Record<string, unknown> {
  const spec = daemonSet.spec as { template: { spec: Record<string, unknown> } } & Record<string, unknown>;
  const pod = spec.template.spec;
  const capture = (pod.containers as readonly Container[]).find(({ name }) => name === 'capture');
  const proxy = (pod.containers as readonly Container[]).find(({ name }) => name === 'proxy');
  if (capture === undefined || proxy === undefined)
    throw new Error('the DaemonSet is not as the chart makes it');
  const clean = {
    ...capture,
    name: 'clean',
    // What runs to its end has none.
    startupProbe: undefined,
    args: [
      '/weft/dist/agent/capture/clean.js',
      '--pin-folder=/sys/fs/bpf/weft',
      '--empty-folder=/var/lib/weft',
      '--empty-folder=/run/weft',
      ...(capture.args ?? []).filter((flag) => keptFlags.test(flag)),
    ],
    volumeMounts: (capture.volumeMounts ?? []).filter(({ name }) => neededVolumes.includes(name ?? '')),
  };
  const { image, imagePullPolicy } = proxy as Record<string, unknown>;
  // Its usual profile is not there any more on a node that weft never prepared.
  const securityContext = {
    ...(proxy as { securityContext?: object }).securityContext,
    seccompProfile: { type: 'RuntimeDefault' },
  };
  const done = {
    name: 'done',
    image,
    imagePullPolicy,
    securityContext,
    args: ['-e', 'setInterval(() => {}, 2 ** 30)'],
  };
  const volumes = (pod.volumes as readonly { name?: string }[]).filter(({ name }) =>
    neededVolumes.includes(name ?? ''),
  );
  return {
    ...spec,
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '100%', maxSurge: 0 } },
    template: {
      ...spec.template,
      // Nothing is left to drain.
      spec: {
        ...pod,
        terminationGracePeriodSeconds: 1,
        volumes,
        initContainers: [clean],
        containers: [done],
      },
    },
  };
}
