/** Says where a policy names sources that a cluster does not have: a misspelt name lets nobody in, or keeps nobody out. */
import type { CrossCheck, ManifestsByKind } from './manifests-by-kind.js';

/** Only for a cluster: a folder need not tell its namespaces and service accounts. */
export function checkSources(
  {
    policies,
    namespaces,
    serviceAccounts,
  }: Pick<ManifestsByKind, 'policies' | 'namespaces' | 'serviceAccounts'>,
  check: CrossCheck,
): void {
  const knownNamespaces = new Set(namespaces.map(({ manifest }) => manifest.id.name));
  const knownAccounts = new Set(serviceAccounts.map(({ manifest: { id } }) => `${id.namespace}/${id.name}`));
  for (const stored of policies) {
    for (const [index, { sources }] of stored.manifest.policy.rules.entries()) {
      const warn = (list: string, at: number, value: string, what: string) => {
        const path = ['spec', 'rules', index, 'sources', list, at];
        check.warning(stored, path, value, `names no known ${what}`, 'correct the name, or add it');
      };
      for (const [at, name] of sources.serviceAccounts.entries()) {
        if (!knownAccounts.has(name)) warn('serviceAccounts', at, name, 'service account');
      }
      for (const [at, name] of sources.namespaces.entries()) {
        if (!knownNamespaces.has(name)) warn('namespaces', at, name, 'namespace');
      }
    }
  }
}
