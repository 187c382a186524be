/** What commands that show something have in common: whom to ask, of which namespace, in which form. */
import type { ClusterMesh } from './cluster/cluster-mesh.js';
import { LocalMesh } from './local-mesh.js';
import { text } from './parse-options.js';
import { statePaths } from './state-folder.js';
import { UsageError } from './usage-error.js';

/** The name it was called by: as plain `weft` it asks this machine, as kubectl's plugin a cluster. */
export type ProgramName = 'weft' | 'kubectl weft';

/** What a command works with. */
export interface Scope {
  readonly source: LocalMesh | ClusterMesh;
  /** Objects of this namespace alone; null: of all. */
  readonly namespace: string | null;
}

/** What a command prints, and its exit code. */
export interface Shown {
  readonly text: string;
  /** What is missing in it, for standard error. */
  readonly warnings?: readonly string[];
  readonly exitCode: 0 | 1;
}

export const placeOptions = {
  state: text,
  context: text,
  kubeconfig: text,
  output: { type: 'string', short: 'o', default: 'text' },
} as const;

export const namespaceOptions = {
  namespace: { type: 'string', short: 'n' },
  'all-namespaces': { type: 'boolean', short: 'A', default: false },
} as const;

/** Help of {@link placeOptions}. */
export const placeUsage = `
  --context NAME  the kubeconfig's context; --kubeconfig FILE  another kubeconfig: a weft of a cluster
  --state DIR     a weft of this machine, by the folder that weft run was given (default /run/weft)
                  without either, kubectl weft asks the cluster and weft this machine
  -o, --output text|json
`;

/** Help of both. */
export const usageWithNamespace = `
  -n, --namespace NAME  one namespace; -A, --all-namespaces  every one. In a cluster the context's is the default${placeUsage}`;

export interface PlaceValues {
  readonly state?: string | undefined;
  readonly context?: string | undefined;
  readonly kubeconfig?: string | undefined;
  readonly output: string;
  readonly namespace?: string | undefined;
  readonly 'all-namespaces'?: boolean;
}

/** Whether JSON is asked for. Throws UsageError. */
export function wantsJson({ output }: Pick<PlaceValues, 'output'>): boolean {
  if (output !== 'text' && output !== 'json')
    throw new UsageError(`--output ${output}: text or json is needed`);
  return output === 'json';
}

/** Rejects with UsageError where options contradict each other, CommandError where the cluster cannot be opened. */
async function openScope(program: ProgramName, values: PlaceValues): Promise<Scope> {
  const { state, context, kubeconfig, namespace } = values;
  const everywhere = values['all-namespaces'] === true;
  if (everywhere && namespace !== undefined) throw new UsageError('-n and -A exclude each other');
  const named = context !== undefined || kubeconfig !== undefined;
  if (named && state !== undefined)
    throw new UsageError('--state is for a weft of this machine, not of a cluster');
  if (state !== undefined || (program === 'weft' && !named)) {
    return { source: new LocalMesh(statePaths(state)), namespace: namespace ?? null };
  }
  // Its library takes longer to load than a machine's weft to answer.
  const [{ ClusterMesh }, { openCluster }] = await Promise.all([
    import('./cluster/cluster-mesh.js'),
    import('./cluster/open-cluster.js'),
  ]);
  const cluster = openCluster({ context, kubeconfig });
  return {
    source: new ClusterMesh(cluster),
    namespace: everywhere ? null : (namespace ?? cluster.namespace),
  };
}

/** Opens, finds, closes. */
export async function withScope<Found>(
  program: ProgramName,
  values: PlaceValues,
  find: (scope: Scope) => Promise<Found>,
): Promise<Found> {
  const scope = await openScope(program, values);
  try {
    return await find(scope);
  } finally {
    scope.source.close();
  }
}

/** Data as JSON, or as text for people. */
export function shown(
  json: boolean,
  data: unknown,
  format: () => string,
  well = true,
  warnings: readonly string[] = [],
): Shown {
  const text = json ? `${JSON.stringify(data, null, 2)}\n` : format();
  return { text, warnings, exitCode: well ? 0 : 1 };
}
