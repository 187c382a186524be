/** What the machine holds of the kinds of things that weft makes, so that before and after can be compared. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupProcesses, findCgroupMount } from './cgroup.js';
import { runCommandSync } from './run-command.js';

/** Every kind with the names or ids of what is there. */
export type Inventory = Readonly<Record<InventoryKind, ReadonlySet<string>>>;

export const inventoryKinds = [
  'programs',
  'links',
  'maps',
  'pins',
  'namespaces',
  'cgroups',
  'interfaces',
  'files',
] as const;
export type InventoryKind = (typeof inventoryKinds)[number];

/** Reads everything; `folders` are those where files are listed. */
export function takeInventory(folders: readonly string[]): Inventory {
  return {
    programs: bpfObjects('prog'),
    links: bpfObjects('link'),
    maps: bpfObjects('map'),
    pins: new Set(listTree('/sys/fs/bpf')),
    namespaces: new Set(existsSync('/run/netns') ? readdirSync('/run/netns') : []),
    cgroups: new Set(listTree(findCgroupMount(), true)),
    interfaces: new Set(readdirSync('/sys/class/net')),
    files: new Set(folders.flatMap((folder) => listTree(folder))),
  };
}

/** What is in `after` and was not in `before`, by kind; kinds without a difference are left out. */
export function compareInventories(before: Inventory, after: Inventory): Map<InventoryKind, string[]> {
  const added = new Map<InventoryKind, string[]>();
  for (const kind of inventoryKinds) {
    const names = [...after[kind]].filter((name) => !before[kind].has(name));
    if (names.length > 0) added.set(kind, names);
  }
  return added;
}

/**
 * Ids of the BPF objects that the processes of a cgroup hold open (`prog 12`, `map 7`, `link 3`), from their
 * descriptors' /proc/PID/fdinfo; what they have pinned is among them while they run.
 */
export function heldBpfObjects(cgroup: string): Set<string> {
  const held = new Set<string>();
  for (const pid of cgroupProcesses(cgroup)) {
    const folder = `/proc/${pid}/fdinfo`;
    for (const descriptor of existsSync(folder) ? readdirSync(folder) : []) {
      const text = readDescriptor(join(folder, descriptor));
      for (const [, kind, id] of text.matchAll(/^(prog|map|link)_id:\s*(\d+)$/gm)) held.add(`${kind} ${id}`);
    }
  }
  return held;
}

/** Those of the given objects that still exist. */
export function livingBpfObjects(objects: ReadonlySet<string>): string[] {
  const living = (['prog', 'map', 'link'] as const).flatMap((kind) =>
    [...bpfObjects(kind)].map((id) => `${kind} ${id}`),
  );
  return living.filter((name) => objects.has(name));
}

function bpfObjects(kind: 'prog' | 'map' | 'link'): Set<string> {
  const list = JSON.parse(runCommandSync(['bpftool', '-j', kind, 'show'])) as { readonly id: number }[];
  return new Set(list.map((entry) => String(entry.id)));
}

/** A descriptor may be closed between the listing and the reading. */
function readDescriptor(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function listTree(folder: string, foldersOnly = false): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => !foldersOnly || entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
}
