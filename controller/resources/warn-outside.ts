/** With ranges given by hand, a workload or service outside of them is not proxied, which is easily overlooked. */
import type { AddressRange } from '../../model/mesh.js';
import { Each } from '../derive/derived.js';
import type { Table } from '../derive/table.js';
import { type MeshTables, only, rangeLookup } from './build-mesh.js';

interface Addressed {
  readonly namespace: string;
  readonly name: string;
  readonly addresses: readonly string[];
}

export function warnOutside({ manifest }: MeshTables, tables: readonly Table<Addressed>[]): void {
  const ranges = new Each(manifest, (stored) => stored.manifest.mesh.ranges);
  const lookups = new WeakMap<readonly AddressRange[], ReturnType<typeof rangeLookup>>();
  for (const table of tables) {
    new Each(table, ({ namespace, name, addresses }, check) => {
      const byHand = ranges.get(only);
      const stored = manifest.get(only);
      if (byHand === undefined || byHand.length === 0 || stored === undefined) return;
      const actionFor = lookups.get(byHand) ?? rangeLookup(byHand);
      lookups.set(byHand, actionFor);
      for (const address of addresses) {
        if (actionFor(address) === 'proxy') continue;
        const message = `do not hold ${address} of ${namespace}/${name}, so traffic to it is not proxied`;
        check.warning(stored, ['spec', 'ranges'], address, message, 'add a range with action proxy');
      }
    });
  }
}
