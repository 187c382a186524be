/**
 * Which mode each workload's ports are in. A port's own comes before its workload's, that before its namespace's, that
 * before the mesh's. Of two that speak of the same the older one decides, then the one whose name comes first.
 */
import { isStrict } from '../../model/mtls.js';
import { type MtlsMode, permissiveMtls, type Workload, type WorkloadMtls } from '../../model/workload.js';
import { Each, OnDemand } from '../derive/derived.js';
import { Grouping } from '../derive/grouping.js';
import type { Table } from '../derive/table.js';
import type { PeerAuthenticationManifest } from '../parse/manifest.js';
import { type MeshTables, only } from './build-mesh.js';
import type { BuiltWorkload } from './build-workloads.js';
import type { CrossCheck, Stored } from './cross-check.js';
import type { ManifestTables } from './manifest-tables.js';

type StoredPeer = Stored<PeerAuthenticationManifest>;

/** A workload with its modes. */
export interface SecuredWorkload extends BuiltWorkload {
  /** Keys of the PeerAuthentications that select it. */
  readonly peers: readonly string[];
}

/** Workloads with their modes. Tells who loses to whom, and what cannot be had. */
export function deriveMtls(
  built: Table<BuiltWorkload>,
  { peerAuthentications: peers }: ManifestTables,
  { manifest: mesh }: MeshTables,
): Table<SecuredWorkload> {
  const byNamespace = new Grouping(peers, ({ manifest }) => [manifest.peerAuthentication.namespace]);
  // Many workloads are selected by the same ones, and who loses to whom is told once.
  const modes = new OnDemand<WorkloadMtls>(built.graph, (keys, check) => {
    const selected = keys.split(' ').flatMap((key) => peers.get(key) ?? []);
    return modesOf(selected, mesh.get(only)?.manifest.mode ?? 'permissive', new Losses(check));
  });
  const secured = new Each<BuiltWorkload, SecuredWorkload>(built, ({ stored, workload }, check) => {
    const selected = byNamespace.get(workload.namespace).filter((peer) => selects(peer, workload));
    const keys = selected.sort(compareAge).map(keyOf);
    const mtls = modes.get(keys.join(' ')) ?? permissiveMtls;
    if (isStrict(mtls) && !workload.captured) {
      warnUncaptured(workload, selected.find(demandsTls), check);
    }
    return { stored, workload: { ...workload, mtls }, peers: keys };
  });
  const selectedBy = new Grouping(secured, (one) => one.peers);
  new Each(peers, (peer, check) => {
    if (selectedBy.has(keyOf(peer))) return;
    const path = ['spec', 'selector'];
    check.warning(peer, path, '', 'selects no known workload', 'check selector and namespace');
  });
  return secured;
}

function keyOf({ manifest: { id } }: StoredPeer): string {
  return `${id.namespace}/${id.name}`;
}

function modesOf(selected: readonly StoredPeer[], meshMode: MtlsMode, losses: Losses): WorkloadMtls {
  if (selected.some(({ manifest }) => manifest.peerAuthentication.broken)) {
    return { mode: 'strict', ports: {} };
  }
  const own = selected.filter(({ manifest }) => manifest.peerAuthentication.labels !== null);
  const shared = selected.filter(({ manifest }) => manifest.peerAuthentication.labels === null);
  const mode = decide(own, losses) ?? decide(shared, losses) ?? meshMode;
  const ports: Record<number, MtlsMode> = {};
  const owners = new Map<string, StoredPeer>();
  for (const peer of own) {
    for (const [port, portMode] of Object.entries(peer.manifest.peerAuthentication.ports)) {
      const winner = owners.get(port);
      if (winner !== undefined) losses.add(peer, winner, ['spec', 'ports'], `port ${port}`);
      else {
        owners.set(port, peer);
        if (portMode !== mode) ports[Number(port)] = portMode;
      }
    }
  }
  return mode === 'permissive' && owners.size === 0 ? permissiveMtls : { mode, ports };
}

/** The mode of the first that gives one. */
function decide(peers: readonly StoredPeer[], losses: Losses): MtlsMode | null {
  const [winner, ...others] = peers.filter(({ manifest }) => manifest.peerAuthentication.mode !== null);
  if (winner === undefined) return null;
  for (const other of others) losses.add(other, winner, ['spec', 'mode'], 'the mode');
  return winner.manifest.peerAuthentication.mode;
}

/** Tells each pair once, however many workloads it meets in. */
class Losses {
  readonly #check: CrossCheck;
  readonly #told = new Set<string>();

  constructor(check: CrossCheck) {
    this.#check = check;
  }

  add(loser: StoredPeer, winner: StoredPeer, path: readonly string[], what: string): void {
    const { namespace, name, mode } = loser.manifest.peerAuthentication;
    const other = winner.manifest.peerAuthentication.name;
    const text = `${namespace} ${name} ${other} ${what}`;
    if (this.#told.has(text)) return;
    this.#told.add(text);
    const message = `loses to PeerAuthentication ${namespace}/${other}, which gives ${what} of the same workloads`;
    const fix = 'keep one of the two, or make their selectors differ';
    this.#check.error(loser, path, path.at(-1) === 'mode' ? (mode ?? '') : '', message, fix);
  }
}

/**
 * Nobody refuses plaintext in front of an application that is not captured. The mesh's own mode is for its members: of others
 * there may be thousands, and nobody has named them.
 */
function warnUncaptured(workload: Workload, by: StoredPeer | undefined, check: CrossCheck): void {
  if (by === undefined) return;
  const { labels, mode } = by.manifest.peerAuthentication;
  // What is outside of the mesh cannot be captured; only who names it expects otherwise.
  if (workload.kind === 'external' && labels === null) return;
  const message = `has no effect on ${workload.namespace}/${workload.name}, which is not captured`;
  const path = ['spec', mode === null ? 'ports' : 'mode'];
  check.warning(by, path, 'Strict', message, 'capture the workload, or leave it out');
}

function demandsTls({ manifest: { peerAuthentication } }: StoredPeer): boolean {
  const { mode, ports } = peerAuthentication;
  return mode === 'strict' || Object.values(ports).includes('strict');
}

function selects({ manifest }: StoredPeer, workload: Workload): boolean {
  const { namespace, labels } = manifest.peerAuthentication;
  if (namespace !== workload.namespace) return false;
  return labels === null || Object.entries(labels).every(([name, value]) => workload.labels[name] === value);
}

function compareAge(left: StoredPeer, right: StoredPeer): number {
  const [a, b] = [left.manifest.peerAuthentication, right.manifest.peerAuthentication];
  return a.createdMs - b.createdMs || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}
