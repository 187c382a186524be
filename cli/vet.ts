/** `weft vet`: the controller's own parser over manifests, alone or as they would be in a cluster. */
import type { ClusterObject } from '../controller/vet-cluster.js';
import type { ClusterMesh } from './cluster/cluster-mesh.js';
import { findWeft } from './cluster/find-weft.js';
import {
  namespaceOptions,
  type ProgramName,
  placeOptions,
  type Shown,
  shown,
  wantsJson,
  withScope,
} from './open-scope.js';
import { flag, parseOptions, text } from './parse-options.js';
import { CommandError, UsageError } from './usage-error.js';

export const vetUsage = (
  program: ProgramName,
) => `usage: ${program} vet -f DIR|FILE [--offline] [--strict] [-o text|json]

Reads manifests and tells everything that is wrong: what would be refused, conflicts, routes to nowhere, policies that
select nothing, undeclared protocols. With a cluster: as they would be among its objects, once applied.
  --offline             only among themselves, without a cluster
  --strict              warnings fail, too
  -n, --namespace NAME  of documents that name none (default: the context's)
  --context NAME, --kubeconfig FILE  which cluster; plain weft takes one only where it is named
${program === 'weft' ? 'Without a cluster the manifests are those of weft run -f.\n' : ''}
Exit codes: 0 nothing would be refused, 1 something would (with --strict: or is warned of), 2 wrong usage.
`;

/** What manifests without a cluster belong to. */
const defaultNamespace = 'default';

export async function showVet(args: readonly string[], program: ProgramName): Promise<Shown> {
  const { state: _state, ...place } = placeOptions;
  const options = { ...place, namespace: namespaceOptions.namespace, strict: flag, offline: flag } as const;
  const { values } = parseOptions(args, { ...options, file: { ...text, short: 'f' } });
  const json = wantsJson(values);
  if (values.file === undefined) throw new UsageError('-f DIR or FILE is missing');
  const { formatVet, readManifests, vetManifests } = await import('../controller/vet.js');
  const files = await readManifests(values.file).catch((cause: unknown) => {
    throw new CommandError('the manifests cannot be read', { cause });
  });
  const alone = async () => {
    if (program === 'weft') return vetManifests(files);
    const { vetForCluster } = await import('../controller/vet-cluster.js');
    const namespace = values.namespace ?? defaultNamespace;
    return vetForCluster({ files, objects: [], namespace, excludedNamespaces: ['kube-system'] });
  };
  const report = values.offline
    ? await alone()
    : await withScope(program, values, async ({ source, namespace }) => {
        if (source.kind === 'machine') return alone();
        const { vetForCluster } = await import('../controller/vet-cluster.js');
        const [objects, weft] = await Promise.all([listObjects(source), findWeft(source.cluster.api)]);
        const excludedNamespaces = ['kube-system', weft?.namespace ?? 'weft-system'];
        return vetForCluster({
          files,
          objects,
          namespace: namespace ?? defaultNamespace,
          excludedNamespaces,
        });
      });
  const well = report.errors === 0 && !(values.strict && report.warnings > 0);
  return shown(json, report, () => formatVet(report), well);
}

/** Everything that configuration is made of, but what only signing needs. */
async function listObjects({ cluster }: ClusterMesh): Promise<ClusterObject[]> {
  const { watchedTypes } = await import('../controller/kubernetes/resource-type.js');
  const wanted = watchedTypes.filter(({ kind }) => kind !== 'ServiceAccount');
  const lists = wanted.map(async (type) => {
    const { group, version, plural, kind } = type;
    const base = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
    const apiVersion = group === '' ? version : `${group}/${version}`;
    const items = (await cluster.api.list({ base, plural })) ?? [];
    return items.map((value) => ({ type, value: { apiVersion, kind, ...value } }));
  });
  return (await Promise.all(lists)).flat();
}
