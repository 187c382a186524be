/**
 * The pods that this process holds: their namespaces and listeners, which outlive any proxy. Every operation is whole or
 * not at all.
 */
import type { KernelFunctions, KernelPrograms, NamespaceListener } from '../../native/kernel.js';
import type { Enrolment, PodCounters } from '../handover/messages.js';
import type { Family } from '../handover/values.js';
import { PodTables } from './pod-tables.js';

export interface RegisterParts {
  readonly functions: Pick<
    KernelFunctions,
    'openNamespace' | 'readNamespaceCookie' | 'makeListeners' | 'makeSockets'
  >;
  readonly kernel: KernelPrograms;
  readonly netnsFolders: readonly string[];
  readonly closeDescriptor: (descriptor: number) => void;
  /** Whether the name still stands for the namespace of that descriptor. */
  readonly isSameNamespace: (name: string, netns: number) => boolean;
}

/** Bounds the maps, the descriptors, and the answers that list all pods. */
const maxPods = 1000;

export interface HeldPod {
  readonly enrolment: Enrolment;
  readonly cookie: bigint;
  readonly netns: number;
  readonly listeners: readonly NamespaceListener[];
}

export class EnrolmentRegister {
  readonly #parts: RegisterParts;
  readonly #tables: PodTables;
  readonly #pods = new Map<string, HeldPod>();
  /** Enrolled before this process started and not yet again: in force, fail closed, without listeners. */
  readonly #orphans = new Map<string, bigint>();

  constructor(parts: RegisterParts) {
    this.#parts = parts;
    this.#tables = new PodTables(parts.kernel);
  }

  /** Workloads in force, also those that an earlier process enrolled. */
  get enrolled(): string[] {
    return [...this.#pods.keys(), ...this.#orphans.keys()];
  }

  /** Those that an earlier process enrolled and this one not yet. */
  get orphans(): string[] {
    return [...this.#orphans.keys()];
  }

  get pods(): readonly HeldPod[] {
    return [...this.#pods.values()];
  }

  /** Reads what an earlier process left in the maps; forgets pods whose namespace is gone. Returns those forgotten. */
  readLeftOver(): string[] {
    const alive = this.#parts.kernel.namespaces();
    const forgotten: string[] = [];
    const known = this.#tables.readWorkloads();
    for (const [cookie, uid] of known) {
      if (alive[linkName(cookie)] === true) {
        this.#orphans.set(uid, cookie);
      } else {
        this.#tables.removePod(cookie);
        this.#parts.kernel.detachNamespace(linkName(cookie));
        forgotten.push(uid);
      }
    }
    const names = new Set([...known.keys()].map(linkName));
    for (const name of Object.keys(alive)) if (!names.has(name)) this.#parts.kernel.detachNamespace(name);
    return forgotten;
  }

  /** Takes a pod that the capture before this one handed over, as it stands: open where no proxy is there. */
  adopt(pod: HeldPod, proxyGone: boolean): void {
    const { workload } = pod.enrolment;
    this.#orphans.delete(workload);
    this.#pods.set(workload, pod);
    this.#publish(pod, proxyGone);
  }

  /**
   * The workload's listeners, made now or standing already. Throws Error where the namespace cannot be captured: then
   * nothing of it is in force, or what was before stays.
   */
  enrol(enrolment: Enrolment): readonly NamespaceListener[] {
    const { functions, netnsFolders, closeDescriptor } = this.#parts;
    const netns = functions.openNamespace(netnsFolders, enrolment.netns);
    let held: HeldPod | undefined;
    try {
      const cookie = functions.readNamespaceCookie(netns);
      this.#checkNamespace(cookie, enrolment);
      const before = this.#pods.get(enrolment.workload);
      if (before?.cookie === cookie) return this.#change(before, enrolment);
      // A namespace of the same name was made anew: the old one's pod is gone.
      if (before !== undefined) this.withdraw(enrolment.workload);
      held = { enrolment, cookie, netns, listeners: functions.makeListeners(netns) };
      this.#begin(held);
      return held.listeners;
    } finally {
      if (held === undefined) closeDescriptor(netns);
    }
  }

  /** False where the workload is not enrolled. */
  withdraw(workload: string): boolean {
    const held = this.#pods.get(workload);
    const cookie = held?.cookie ?? this.#orphans.get(workload);
    if (cookie === undefined) return false;
    // Arrivals go to the application before the maps forget it: what they do not know is dropped.
    this.#parts.kernel.detachNamespace(linkName(cookie));
    this.#tables.removePod(cookie);
    if (held !== undefined) this.#close(held);
    this.#pods.delete(workload);
    this.#orphans.delete(workload);
    return true;
  }

  /** Withdraws pods whose namespace is gone, so that nothing of weft keeps it alive; returns them. */
  withdrawVanished(): string[] {
    const vanished = this.pods
      .filter(({ enrolment, netns }) => !this.#parts.isSameNamespace(enrolment.netns, netns))
      .map(({ enrolment }) => enrolment.workload);
    for (const workload of vanished) this.withdraw(workload);
    return vanished;
  }

  /** Ready-made sockets; the descriptors are the caller's. Throws where the workload is not enrolled. */
  makeSockets(workload: string, family: Family, count: number): number[] {
    const held = this.#pods.get(workload);
    if (held === undefined) throw new Error(`workload ${workload} is not enrolled`);
    return this.#parts.functions.makeSockets(held.netns, family, count, this.#notesMap());
  }

  setProxyGone(gone: boolean): number {
    return this.#tables.setProxyGone(gone);
  }

  readCounters(): PodCounters[] {
    return this.pods.map(({ cookie, enrolment }) => this.#tables.readCounters(cookie, enrolment.workload));
  }

  /** Closes descriptors; what is in force stays so, fail closed. */
  close(): void {
    for (const held of this.#pods.values()) this.#close(held);
    this.#pods.clear();
  }

  #notesMap(): number {
    const map = this.#parts.kernel.maps.notes;
    if (map === undefined) throw new Error('the kernel programs have no map notes');
    return map;
  }

  #checkNamespace(cookie: bigint, { netns, workload }: Enrolment): void {
    if (this.#pods.size >= maxPods && !this.#pods.has(workload)) {
      throw new Error(`capture holds ${maxPods} workloads, which is as many as it takes`);
    }
    for (const other of this.#pods.values()) {
      if (other.cookie === cookie && other.enrolment.workload !== workload) {
        throw new Error(`namespace ${netns} is enrolled by ${other.enrolment.workload}; withdraw it first`);
      }
    }
  }

  #begin(held: HeldPod): void {
    try {
      this.#publish(held);
    } catch (error) {
      // An orphan's entries go too: it would stay without listeners, which is closed, but nobody could see why.
      this.#tables.removePod(held.cookie);
      this.#parts.kernel.detachNamespace(linkName(held.cookie));
      for (const { descriptor } of held.listeners) this.#parts.closeDescriptor(descriptor);
      this.#parts.closeDescriptor(held.netns);
      throw error;
    }
    this.#orphans.delete(held.enrolment.workload);
    this.#pods.set(held.enrolment.workload, held);
  }

  /** The order in which nothing is dropped: the maps know all of the pod before arrivals are steered by them. */
  #publish(held: HeldPod, proxyGone = false): void {
    this.#tables.writeSurroundings(held);
    this.#tables.writePod(held, proxyGone);
    this.#parts.kernel.attachNamespace(held.netns, linkName(held.cookie));
  }

  #change(before: HeldPod, enrolment: Enrolment): readonly NamespaceListener[] {
    const held: HeldPod = { ...before, enrolment };
    this.#publish(held);
    this.#tables.removeLeftOver(held.cookie, before.enrolment, enrolment);
    this.#pods.set(enrolment.workload, held);
    return held.listeners;
  }

  #close(held: HeldPod): void {
    for (const { descriptor } of held.listeners) this.#parts.closeDescriptor(descriptor);
    this.#parts.closeDescriptor(held.netns);
  }
}

/** Names of pins hold no dot, and a cookie is never used again: the maps and the link always speak of one namespace. */
function linkName(cookie: bigint): string {
  return `netns-${cookie.toString(16)}`;
}
