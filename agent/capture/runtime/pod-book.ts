/**
 * The node's pods as the container runtime tells of them (over NRI, or by its network plugin weft-cni, or by what it keeps
 * of their networks), and which of them capture holds: captured, fail closed, with connections waiting in their
 * listeners, from before their first process until a proxy enrols them with their configuration (docs/kubernetes.md).
 * Without a runtime that tells (`weft run`) the book stays empty.
 */
import type { NamespaceListener } from '../../../native/kernel.js';
import type { Enrolment } from '../../handover/messages.js';
import { type CaptureLog, describeError } from '../capture-log.js';
import type { EnrolmentRegister } from '../enrolment-register.js';
import type { EnrolledNamespaces } from './enrolled-namespaces.js';
import type { NriEvents } from './nri-plugin.js';
import type { Sandbox } from './sandbox.js';

export interface PodBookParts {
  readonly register: Pick<EnrolmentRegister, 'enrol' | 'withdraw' | 'enrolled' | 'orphans'>;
  readonly namespaces: Pick<EnrolledNamespaces, 'has'>;
  /** Finds a pod's sandbox where the runtime has not told of it. */
  readonly findSandbox: (uid: string) => Sandbox | undefined;
  /** A pod is held: a proxy that knows its configuration shall enrol it. */
  readonly onHeld: (workload: string) => void;
  /** A pod's processes have all ended. */
  readonly onStopped: (workload: string) => void;
  readonly log: CaptureLog;
}

/** On a namespace or a pod; the pod's own wins. */
export const meshLabel = 'weft.dev/mesh';

/** An enrolment of a pod whose sandbox is not made yet: it is held, and a proxy is told, once it is. */
export class AwaitedPod extends Error {}

/** As many pods as a node may have, and more. */
const maxAwaited = 1_000;

export class PodBook {
  readonly #parts: PodBookParts;
  /** By the pod's uid; a pod that was given a new sandbox has the newest. */
  readonly #sandboxes = new Map<string, Sandbox>();
  readonly #held = new Set<string>();
  /** Those that a proxy has enrolled with their configuration. */
  readonly #configured = new Set<string>();
  /** Those that a proxy wants and no runtime has told of. */
  readonly #awaited = new Set<string>();
  /** The runtime has listed its pods once. */
  #told = false;

  constructor(parts: PodBookParts) {
    this.#parts = parts;
  }

  /** Workloads that no proxy has enrolled yet. */
  get held(): string[] {
    return [...this.#held];
  }

  readonly events: NriEvents = {
    onSynchronized: (sandboxes) => this.#synchronize(sandboxes),
    onRun: (sandbox) => this.#run(sandbox),
    onStop: (sandbox) => this.#stop(sandbox),
  };

  /** Enrols for a proxy; throws where it cannot be done, also where a pod's namespace is not known yet. */
  enrol(enrolment: Enrolment): readonly NamespaceListener[] {
    const listeners = this.#parts.register.enrol(this.#locate(enrolment));
    this.#held.delete(enrolment.workload);
    this.#awaited.delete(enrolment.workload);
    this.#configured.add(enrolment.workload);
    return listeners;
  }

  withdraw(workload: string): void {
    this.#release(workload);
    this.#awaited.delete(workload);
  }

  /** A sandbox's network is made, nothing of the pod runs. Throws where it belongs into the mesh and cannot be held. */
  addNetwork(sandbox: Sandbox): 'held' | 'outside' {
    this.#run(sandbox);
    return this.#isCaptured(sandbox.uid) ? 'held' : 'outside';
  }

  checkNetwork(sandbox: Sandbox): 'held' | 'outside' | 'missing' {
    if (this.#parts.register.enrolled.includes(sandbox.uid)) return 'held';
    return this.#shallJoin(this.#sandboxes.get(sandbox.uid) ?? sandbox) ? 'missing' : 'outside';
  }

  /** A sandbox's network is being removed: every process of the pod has ended. */
  removeNetwork(id: string): void {
    for (const sandbox of this.#sandboxes.values()) if (sandbox.id === id) this.#stop(sandbox);
  }

  /** Pods that were captured before this process began, where no runtime lists them: they get listeners again. */
  restore(): void {
    if (this.#told) return;
    for (const uid of this.#parts.register.orphans) {
      const sandbox = this.#parts.findSandbox(uid);
      if (sandbox === undefined || sandbox.netns === null) continue;
      this.#sandboxes.set(uid, sandbox);
      this.#tryHold(sandbox);
    }
  }

  /** Where a capture before this one held it. */
  adoptHeld(workload: string): void {
    this.#held.add(workload);
  }

  /** Its namespace is gone. */
  forget(workload: string): void {
    this.#held.delete(workload);
    this.#configured.delete(workload);
    this.#sandboxes.delete(workload);
  }

  #locate(enrolment: Enrolment): Enrolment {
    if (enrolment.netns !== '') return enrolment;
    const sandbox = this.#sandboxes.get(enrolment.workload) ?? this.#find(enrolment.workload);
    if (sandbox === undefined) {
      if (this.#awaited.size < maxAwaited) this.#awaited.add(enrolment.workload);
      throw new AwaitedPod('the container runtime has not made this pod’s sandbox yet');
    }
    if (sandbox.netns === null) throw new Error(`pod ${nameOf(sandbox)} shares the network of its node`);
    // The API learns a pod's addresses a moment after the runtime.
    const addresses = enrolment.addresses.length > 0 ? enrolment.addresses : sandbox.addresses;
    return { ...enrolment, netns: sandbox.netns, addresses };
  }

  /** Where the runtime tells of its pods there is nothing to find. */
  #find(uid: string): Sandbox | undefined {
    const sandbox = this.#told ? undefined : this.#parts.findSandbox(uid);
    if (sandbox !== undefined) this.#sandboxes.set(uid, sandbox);
    return sandbox;
  }

  /**
   * Pods that were captured before this process began get listeners again, and those that started while the runtime did
   * not tell are held from now on. Others are the configuration's matter.
   */
  #synchronize(sandboxes: readonly Sandbox[]): void {
    const orphans = new Set(this.#parts.register.orphans);
    const told = this.#told;
    this.#told = true;
    for (const sandbox of sandboxes) {
      const before = this.#sandboxes.get(sandbox.uid);
      // Of two sandboxes of a pod the one that stopped has no namespace.
      if (sandbox.netns === null && before !== undefined) continue;
      this.#sandboxes.set(sandbox.uid, sandbox);
      const missed = told && before?.id !== sandbox.id && this.#shallJoin(sandbox);
      if (sandbox.netns !== null && (orphans.has(sandbox.uid) || missed)) this.#tryHold(sandbox);
    }
  }

  #tryHold(sandbox: Sandbox): void {
    try {
      this.#hold(sandbox);
    } catch (error) {
      this.#parts.log('error', 'a pod that shall be in the mesh cannot be held', {
        pod: nameOf(sandbox),
        error: describeError(error),
      });
    }
  }

  /** Of one sandbox both weft-cni and NRI tell, in this order; the second knows the pod's labels. */
  #run(sandbox: Sandbox): void {
    const { uid, id } = sandbox;
    const same = this.#sandboxes.get(uid)?.id === id;
    this.#sandboxes.set(uid, sandbox);
    if (sandbox.netns === null) return;
    if (!this.#shallJoin(sandbox)) {
      if (this.#held.has(uid)) this.#release(uid);
    } else if (!same || !this.#isCaptured(uid)) this.#hold(sandbox);
  }

  #isCaptured(uid: string): boolean {
    return this.#held.has(uid) || this.#configured.has(uid);
  }

  #release(workload: string): void {
    this.#held.delete(workload);
    this.#configured.delete(workload);
    this.#parts.register.withdraw(workload);
  }

  #stop(sandbox: Sandbox): void {
    if (this.#sandboxes.get(sandbox.uid)?.id !== sandbox.id) return;
    this.#release(sandbox.uid);
    this.#sandboxes.delete(sandbox.uid);
    this.#parts.onStopped(sandbox.uid);
  }

  /** A configuration that wants it knows its labels, where the runtime does not tell them. */
  #shallJoin({ uid, labels, namespace }: Sandbox): boolean {
    const own = labels[meshLabel];
    return own === 'enabled' || (own !== 'disabled' && this.#isWanted(uid, namespace));
  }

  #isWanted(uid: string, namespace: string): boolean {
    const { namespaces } = this.#parts;
    return namespaces.has(namespace) || this.#awaited.has(uid) || this.#configured.has(uid);
  }

  /** What its policies say of UDP, probes and groups comes with its configuration; until then it is closed. */
  #hold(sandbox: Sandbox): void {
    const { uid, addresses, netns } = sandbox;
    this.#parts.register.enrol({
      workload: uid,
      netns: netns as string,
      addresses,
      failMode: 'closed',
      udp: 'allow',
      probePorts: [],
      group: 0,
    });
    this.#held.add(uid);
    this.#configured.delete(uid);
    this.#parts.log('info', 'a pod is held until it is configured', { pod: nameOf(sandbox), workload: uid });
    this.#parts.onHeld(uid);
  }
}

function nameOf({ namespace, name }: Sandbox): string {
  return `${namespace}/${name}`;
}
