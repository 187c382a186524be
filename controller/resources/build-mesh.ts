/** The mesh itself: from its manifest, or from defaults. */
import { addressBytes, parseCidr } from '../../model/address.js';
import type { AddressRange, Mesh } from '../../model/mesh.js';
import type { MeshManifest } from '../parse/manifest.js';
import { coverAddresses } from './cover-addresses.js';
import type { CrossCheck, ManifestsByKind, Stored } from './manifests-by-kind.js';

/** `defaultTrustDomain` counts where no Mesh is given; null without either. */
export function buildMesh(
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

/** Where no ranges are given, exactly the known addresses are the mesh's. */
export function withRanges(mesh: Mesh, addresses: readonly string[]): Mesh {
  if (mesh.ranges.length > 0) return mesh;
  const ranges = [...new Set(addresses)].sort().map(
    (address): AddressRange => ({
      cidr: `${address}/${address.includes(':') ? 128 : 32}`,
      action: 'proxy',
    }),
  );
  return { ...mesh, ranges };
}

/**
 * Where no ranges are given, a cluster's mesh is its nodes' pod ranges, its service ranges, and what lies outside of
 * both: few ranges, that do not change with every pod. `enrolledNamespaces`: those that a label enrols.
 */
export function withClusterRanges(
  mesh: Mesh,
  { nodes, serviceRanges }: Pick<ManifestsByKind, 'nodes' | 'serviceRanges'>,
  addresses: readonly string[],
  enrolledNamespaces: readonly string[],
): Mesh {
  if (mesh.ranges.length > 0) return { ...mesh, enrolledNamespaces };
  const known = [
    ...nodes.flatMap(({ manifest }) => manifest.podRanges),
    ...serviceRanges.flatMap(({ manifest }) => manifest.serviceRanges),
  ];
  const ranges = coverAddresses(known, addresses).map((cidr): AddressRange => ({ cidr, action: 'proxy' }));
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
