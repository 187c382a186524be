/** Says where a policy names sources that a cluster does not have: a misspelt name lets nobody in, or keeps nobody out. */
import { Each } from '../derive/derived.js';
import type { ManifestTables } from './manifest-tables.js';

/** Only for a cluster: a folder need not tell its namespaces and service accounts. */
export function checkSources({ policies, namespaces, serviceAccounts }: ManifestTables): void {
  new Each(policies, (stored, check) => {
    for (const [index, { sources }] of stored.manifest.policy.rules.entries()) {
      const warn = (list: string, at: number, value: string, what: string) => {
        const path = ['spec', 'rules', index, 'sources', list, at];
        check.warning(stored, path, value, `names no known ${what}`, 'correct the name, or add it');
      };
      for (const [at, name] of sources.serviceAccounts.entries()) {
        if (serviceAccounts.get(name) === undefined) warn('serviceAccounts', at, name, 'service account');
      }
      for (const [at, name] of sources.namespaces.entries()) {
        if (namespaces.get(name) === undefined) warn('namespaces', at, name, 'namespace');
      }
    }
  });
}
