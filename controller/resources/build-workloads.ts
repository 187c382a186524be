/** Workloads with what the mesh gives them; an address, a uid and a network namespace belong to one only. */
import { permissiveMtls, type Workload } from '../../model/workload.js';
import { Each } from '../derive/derived.js';
import { Grouping } from '../derive/grouping.js';
import type { Table } from '../derive/table.js';
import { manifestKey, type WorkloadManifest } from '../parse/manifest.js';
import { type MeshTables, only } from './build-mesh.js';
import type { CrossCheck, Stored } from './cross-check.js';

type StoredWorkload = Stored<WorkloadManifest>;

export interface BuiltWorkload {
  readonly stored: StoredWorkload;
  readonly workload: Workload;
}

/** `node` runs the workloads that name no node. Of two claims the one whose key comes first counts. */
export function deriveWorkloads(
  manifests: Table<StoredWorkload>,
  { names }: MeshTables,
  node: string,
): Table<BuiltWorkload> {
  const byUid = new Grouping(manifests, ({ manifest }) => [manifest.workload.uid]);
  const holders = new Each(manifests, (stored, check) => {
    const { uid } = stored.manifest.workload;
    const owner = byUid.get(uid)[0];
    if (owner === undefined || owner === stored) return stored;
    const fix = 'give each workload its own name, or drop metadata.uid';
    check.error(stored, ['metadata', 'name'], uid, `has the uid of ${manifestKey(owner.manifest.id)}`, fix);
    return undefined;
  });
  const byAddress = new Grouping(holders, ({ manifest }) => manifest.workload.addresses);
  const byNamespace = new Grouping(holders, (stored) => placeOf(stored, node) ?? []);
  return new Each(holders, (stored, check) => {
    const mesh = names.get(only);
    if (mesh === undefined) return undefined;
    const { workload } = stored.manifest;
    const addresses = claimAddresses(stored, byAddress, check);
    const capture = claimNamespace(stored, node, byNamespace, check);
    const built: Workload = {
      ...workload,
      ...mesh,
      node: nodeOf(stored, node),
      addresses,
      captured: capture !== null,
      capture,
      mtls: permissiveMtls,
      transport: 'plaintext',
    };
    return { stored, workload: built };
  });
}

/** An address tells who a caller is, so a second claim to it is refused. */
function claimAddresses(
  stored: StoredWorkload,
  byAddress: Grouping<StoredWorkload>,
  check: CrossCheck,
): readonly string[] {
  const { addresses } = stored.manifest.workload;
  const own = addresses.filter((address, index) => {
    const owner = byAddress.get(address)[0];
    if (owner === undefined || owner === stored) return addresses.indexOf(address) === index;
    const path = ['spec', 'addresses', index];
    const message = `belongs to ${manifestKey(owner.manifest.id)} already`;
    check.error(stored, path, address, message, 'give each workload its own address');
    return false;
  });
  return own.length === addresses.length ? addresses : own;
}

function claimNamespace(
  stored: StoredWorkload,
  node: string,
  byNamespace: Grouping<StoredWorkload>,
  check: CrossCheck,
): Workload['capture'] {
  const { capture } = stored.manifest.workload;
  const [place] = placeOf(stored, node) ?? [];
  if (capture === null || place === undefined) return capture;
  const owner = byNamespace.get(place)[0];
  if (owner === undefined || owner === stored) return capture;
  const path = ['spec', 'capture', 'netns'];
  const fix = 'one workload for each network namespace';
  const message = `is the namespace of ${manifestKey(owner.manifest.id)} already`;
  check.error(stored, path, capture.netns, message, fix);
  return null;
}

function nodeOf({ manifest }: StoredWorkload, node: string): string {
  return manifest.workload.node === '' ? node : manifest.workload.node;
}

/** The namespace of a node that it names; null: it names none. A pod whose node finds its namespace has its own. */
function placeOf(stored: StoredWorkload, node: string): [string] | null {
  const { capture } = stored.manifest.workload;
  return capture === null || capture.netns === '' ? null : [`${nodeOf(stored, node)}/${capture.netns}`];
}
