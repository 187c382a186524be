/** Workloads with what the mesh gives them; an address, a uid and a network namespace belong to one only. */
import type { Mesh } from '../../model/mesh.js';
import { permissiveMtls, type Workload } from '../../model/workload.js';
import { manifestKey, type WorkloadManifest } from '../parse/manifest.js';
import type { BuildMemo } from './build-memo.js';
import type { CrossCheck, Stored } from './manifests-by-kind.js';

/** Who owns an address: a workload or a service. */
export type AddressOwners = Map<string, string>;

export interface BuiltWorkload {
  readonly stored: Stored<WorkloadManifest>;
  readonly workload: Workload;
}

/** `node` runs the workloads that name no node. Owners of addresses are added to `owners`. */
export function buildWorkloads(
  manifests: readonly Stored<WorkloadManifest>[],
  mesh: Mesh,
  node: string,
  owners: AddressOwners,
  check: CrossCheck,
  memo: BuildMemo,
): BuiltWorkload[] {
  const before = memo.kept<Stored<WorkloadManifest>, BuiltWorkload>('workload');
  const uids = new Map<string, string>();
  const namespaces = new Map<string, string>();
  return manifests.flatMap((stored) => {
    const { workload } = stored.manifest;
    const key = manifestKey(stored.manifest.id);
    const other = uids.get(workload.uid);
    if (other !== undefined) {
      const fix = 'give each workload its own name, or drop metadata.uid';
      check.error(stored, ['metadata', 'name'], workload.uid, `has the uid of ${other}`, fix);
      return [];
    }
    uids.set(workload.uid, key);
    const runsOn = workload.node === '' ? node : workload.node;
    const capture = claimNamespace(stored, runsOn, namespaces, check);
    const addresses = claimAddresses(stored, workload.addresses, owners, check);
    const known = before.get(stored);
    const same =
      known !== undefined &&
      known.workload.capture === capture &&
      known.workload.node === runsOn &&
      known.workload.trustDomain === mesh.trustDomain &&
      known.workload.cluster === mesh.cluster &&
      known.workload.network === mesh.network &&
      sameTexts(known.workload.addresses, addresses);
    if (same) return [known];
    const built: Workload = {
      ...workload,
      trustDomain: mesh.trustDomain,
      cluster: mesh.cluster,
      network: mesh.network,
      node: runsOn,
      addresses,
      captured: capture !== null,
      capture,
      mtls: permissiveMtls,
      transport: 'plaintext',
    };
    const made = { stored, workload: built };
    before.set(stored, made);
    return [made];
  });
}

function sameTexts(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((text, at) => text === right[at]);
}

/** An address tells who a caller is, so a second claim to it is refused. */
function claimAddresses(
  stored: Stored<WorkloadManifest>,
  addresses: readonly string[],
  owners: AddressOwners,
  check: CrossCheck,
): string[] {
  const key = manifestKey(stored.manifest.id);
  return addresses.filter((address, index) => {
    const owner = owners.get(address);
    if (owner === undefined) {
      owners.set(address, key);
      return true;
    }
    if (owner !== key) {
      const path = ['spec', 'addresses', index];
      check.error(stored, path, address, `belongs to ${owner} already`, 'give each workload its own address');
    }
    return false;
  });
}

function claimNamespace(
  stored: Stored<WorkloadManifest>,
  node: string,
  namespaces: Map<string, string>,
  check: CrossCheck,
): Workload['capture'] {
  const { capture } = stored.manifest.workload;
  // A pod whose node finds its namespace has one of its own.
  if (capture === null || capture.netns === '') return capture;
  const place = `${node}/${capture.netns}`;
  const other = namespaces.get(place);
  if (other !== undefined) {
    const path = ['spec', 'capture', 'netns'];
    const fix = 'one workload for each network namespace';
    check.error(stored, path, capture.netns, `is the namespace of ${other} already`, fix);
    return null;
  }
  namespaces.set(place, manifestKey(stored.manifest.id));
  return capture;
}
