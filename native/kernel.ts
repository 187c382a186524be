/**
 * Capture's privileged surface: the kernel programs and the pods' namespaces. Loaded by capture alone (an addon of its
 * own), so that the proxy cannot even name these calls.
 */

export interface LoadOptions {
  /** The object that bpf-linker made. */
  readonly object: string;
  /** Folder on a bpf file system that links and maps are pinned under. */
  readonly pinFolder: string;
  /** cgroup2 folders to attach the cgroup programs to, in order: the pods' own, then the root. */
  readonly cgroups: readonly string[];
}

/** Descriptor numbers of the maps, owned by the loader. */
export type MapDescriptors = Readonly<Record<string, number>>;

/** The kernel programs of this node: loaded, attached, pinned. */
export interface KernelPrograms {
  readonly maps: MapDescriptors;
  /** What start did with each pinned link: made it, kept it, or replaced its program (bpf_link_update). */
  readonly links: Readonly<Record<string, 'created' | 'kept' | 'replaced'>>;
  /** Attaches sk_lookup to a namespace and pins the link under the given name. */
  attachNamespace(netns: number, name: string): 'created' | 'kept' | 'replaced';
  detachNamespace(name: string): void;
  lookup(map: string, key: Uint8Array): Buffer | null;
  update(map: string, key: Uint8Array, value: Uint8Array): void;
  /** False where the key was not there. */
  remove(map: string, key: Uint8Array): boolean;
  keys(map: string): Buffer[];
  /** Sum over the processors of a per-CPU array's slots of 64-bit counters. */
  sumCounters(map: string): number[];
  /** Closes descriptors; everything pinned stays in force. */
  close(): void;
}
