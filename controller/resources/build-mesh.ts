/** The mesh itself: from its manifest, or from defaults. */
import { addressBytes, parseCidr } from '../../model/address.js';
import type { AddressRange, Mesh } from '../../model/mesh.js';
import { Each } from '../derive/derived.js';
import type { Graph } from '../derive/graph.js';
import { Grouping } from '../derive/grouping.js';
import { Input, type Table } from '../derive/table.js';
import type { MeshManifest } from '../parse/manifest.js';
import type { CrossCheck, Stored } from './cross-check.js';
import type { ManifestTables } from './manifest-tables.js';

/** Key of the one value of a table that holds one thing. */
export const only = '';

export interface MeshTables {
  /** The manifest that counts, where there is any. */
  readonly manifest: Table<Stored<MeshManifest>>;
  /** Without the ranges that follow from addresses; none where nothing tells the trust domain. */
  readonly declared: Each<true, Mesh>;
  /** What its workloads have from it. */
  readonly names: Table<Pick<Mesh, 'trustDomain' | 'cluster' | 'network'>>;
}

export function deriveMesh(
  graph: Graph,
  { meshes }: ManifestTables,
  defaultTrustDomain: string | null,
): MeshTables {
  const all = new Grouping(meshes, () => [only]);
  const one = new Input<true>(graph);
  one.set(only, true);
  const declared = new Each<true, Mesh>(
    one,
    (_, check) => buildMesh(all.get(only), defaultTrustDomain, check) ?? undefined,
  );
  return {
    manifest: new Each(one, () => all.get(only)[0]),
    declared,
    names: new Each(declared, ({ trustDomain, cluster, network }) => ({ trustDomain, cluster, network })),
  };
}

/** `defaultTrustDomain` counts where no Mesh is given; null without either. */
function buildMesh(
  manifests: readonly Stored<MeshManifest>[],
  defaultTrustDomain: string | null,
  check: CrossCheck,
): Mesh | null {
  const [first, ...others] = manifests;
  for (const other of others) {
    const message = `is a second Mesh beside ${first?.manifest.id.name}, which stays in force`;
    check.error(other, ['metadata', 'name'], other.manifest.id.name, message, 'keep one');
  }
  if (first !== undefined) return first.manifest.mesh;
  if (defaultTrustDomain === null) return null;
  return { trustDomain: defaultTrustDomain, cluster: '', network: '', ranges: [], enrolledNamespaces: [] };
}

/** The mesh as it is published. Where it gives no ranges it has those of `cover`. */
export function publishedMesh(
  mesh: Mesh,
  cover: readonly string[] | undefined,
  enrolledNamespaces: readonly string[],
): Mesh {
  if (mesh.ranges.length > 0) return { ...mesh, enrolledNamespaces };
  const ranges = (cover ?? []).map((cidr): AddressRange => ({ cidr, action: 'proxy' }));
  return { ...mesh, ranges, enrolledNamespaces };
}

/** What the longest matching range says about an address; null where none matches. */
export function rangeLookup(
  ranges: readonly AddressRange[],
): (address: string) => AddressRange['action'] | null {
  const parsed = ranges.flatMap(({ cidr, action }) => {
    const range = parseCidr(cidr);
    return range === null ? [] : [{ ...range, action }];
  });
  parsed.sort((left, right) => right.prefix - left.prefix);
  return (address) => {
    const bytes = addressBytes(address);
    if (bytes === null) return null;
    const found = parsed.find(
      (range) => range.bytes.length === bytes.length && hasPrefix(bytes, range.bytes, range.prefix),
    );
    return found?.action ?? null;
  };
}

function hasPrefix(address: Uint8Array, prefix: Uint8Array, bits: number): boolean {
  for (let bit = 0; bit < bits; bit += 1) {
    const mask = 0x80 >> (bit & 7);
    if (((address[bit >> 3] ?? 0) & mask) !== ((prefix[bit >> 3] ?? 0) & mask)) return false;
  }
  return true;
}
