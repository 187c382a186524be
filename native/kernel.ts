/**
 * Capture's privileged surface: the kernel programs and the pods' namespaces. Loaded by capture alone (an addon of its
 * own), so that the proxy cannot even name these calls. Everything here throws an Error whose message says what failed,
 * on what, and the likely cause; `code` is the errno's name where the kernel gave one.
 */

export interface LoadOptions {
  /** The object that bpf-linker made. */
  readonly object: string;
  /** Folder on a bpf file system that links and maps are pinned under. */
  readonly pinFolder: string;
  /** cgroup2 folders to attach the cgroup programs to, in order: the pods' own, then the root. */
  readonly cgroups: readonly string[];
  /** cgroup2 folder of kubelet, whose probes may pass; undefined for no bypass. */
  readonly kubeletCgroup: string | undefined;
}

/** Descriptor numbers of the maps, owned by the loader. */
export type MapDescriptors = Readonly<Record<string, number>>;

/** What attaching did with a pinned link: made it, kept it, or replaced its program (bpf_link_update). */
export type LinkOutcome = 'created' | 'kept' | 'replaced';

/** The kernel programs of this node: loaded, attached, pinned; for good once {@link KernelPrograms.keep} was called. */
export interface KernelPrograms {
  readonly maps: MapDescriptors;
  /** By program and cgroup. */
  readonly links: Readonly<Record<string, LinkOutcome>>;
  /** Attaches sk_lookup to a namespace and pins the link under the given name. */
  attachNamespace(netns: number, name: string): LinkOutcome;
  detachNamespace(name: string): void;
  /** Pinned names, and whether each one's namespace still exists. */
  namespaces(): Readonly<Record<string, boolean>>;
  /** Proves capture with real connections in a namespace of its own. */
  selfTest(): void;
  lookup(map: string, key: Uint8Array): Buffer | null;
  update(map: string, key: Uint8Array, value: Uint8Array): void;
  /** False where the key was not there. */
  remove(map: string, key: Uint8Array): boolean;
  keys(map: string): Buffer[];
  /** Sum over the processors of a per-CPU array's slots of 64-bit counters. */
  sumCounters(map: string): number[];
  /** What is attached stays in force from here on, whatever becomes of this process. Pins of other versions go. */
  keep(): void;
  /**
   * Closes descriptors. What was kept stays in force; before {@link KernelPrograms.keep} each link goes back to the
   * program that it had, and one that was not there goes away.
   */
  close(): void;
}

/** A listening socket in a pod's namespace; the descriptor is the caller's. */
export interface NamespaceListener {
  readonly descriptor: number;
  readonly direction: 'outbound' | 'inbound';
  readonly family: 4 | 6;
  readonly port: number;
}

/** What {@link KernelFunctions.removePins} removed. */
export interface RemovedPins {
  readonly pins: readonly string[];
  /** Ids of the links behind the pins. */
  readonly links: readonly number[];
}

export interface KernelFunctions {
  loadKernel(options: LoadOptions): KernelPrograms;
  /**
   * Opens the namespace file `name` in the first of the folders that has it; the descriptor is the caller's. Names that
   * are paths, links, and the machine's own namespace are refused.
   */
  openNamespace(folders: readonly string[], name: string): number;
  /** SO_NETNS_COOKIE: names a namespace until the machine restarts. */
  readNamespaceCookie(netns: number): bigint;
  /** All listeners of a pod; IPv4 alone where the namespace has no IPv6. */
  makeListeners(netns: number): NamespaceListener[];
  /** Unconnected, non-blocking TCP sockets made in the namespace and marked as the agent's. */
  makeSockets(netns: number, family: 4 | 6, count: number, notesMap: number): number[];
  /** A descriptor for a process (pidfd), the caller's. */
  openProcess(pid: number): number;
  hasEnded(process: number): boolean;
  /** Removes every pin of weft below the folder, and the folder. */
  removePins(pinFolder: string): RemovedPins;
  /** Those of the link ids that still exist. */
  findLinks(links: readonly number[]): number[];
}
