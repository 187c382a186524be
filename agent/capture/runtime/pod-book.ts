/**
 * The node's pods as the container runtime tells of them, and which of them capture holds: captured, fail closed, with
 * connections waiting in their listeners, from before their first process until a proxy enrols them with their
 * configuration (docs/kubernetes.md). Without a runtime that tells (`weft run`) the book stays empty.
 */
import type { NamespaceListener } from '../../../native/kernel.js';
import type { Enrolment } from '../../handover/messages.js';
import { type CaptureLog, describeError } from '../capture-log.js';
import type { EnrolmentRegister } from '../enrolment-register.js';
import type { EnrolledNamespaces } from './enrolled-namespaces.js';
import type { NriEvents } from './nri-plugin.js';
import type { Sandbox } from './sandbox.js';

export interface PodBookParts {
  readonly register: Pick<EnrolmentRegister, 'enrol' | 'withdraw' | 'orphans'>;
  readonly namespaces: EnrolledNamespaces;
  /** A pod is held: a proxy that knows its configuration shall enrol it. */
  readonly onHeld: (workload: string) => void;
  /** A pod's processes have all ended. */
  readonly onStopped: (workload: string) => void;
  readonly log: CaptureLog;
}

/** On a namespace or a pod; the pod's own wins. */
export const meshLabel = 'weft.dev/mesh';

export class PodBook {
  readonly #parts: PodBookParts;
  /** By the pod's uid; a pod that was given a new sandbox has the newest. */
  readonly #sandboxes = new Map<string, Sandbox>();
  readonly #held = new Set<string>();
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
    return listeners;
  }

  withdraw(workload: string): void {
    this.#held.delete(workload);
    this.#parts.register.withdraw(workload);
  }

  /** Where a capture before this one held it. */
  adoptHeld(workload: string): void {
    this.#held.add(workload);
  }

  /** Its namespace is gone. */
  forget(workload: string): void {
    this.#held.delete(workload);
    this.#sandboxes.delete(workload);
  }

  #locate(enrolment: Enrolment): Enrolment {
    if (enrolment.netns !== '') return enrolment;
    const sandbox = this.#sandboxes.get(enrolment.workload);
    if (sandbox === undefined) {
      throw new Error('the container runtime has not told of this pod: does it run here, and is NRI on?');
    }
    if (sandbox.netns === null) throw new Error(`pod ${nameOf(sandbox)} shares the network of its node`);
    // The API learns a pod's addresses a moment after the runtime.
    const addresses = enrolment.addresses.length > 0 ? enrolment.addresses : sandbox.addresses;
    return { ...enrolment, netns: sandbox.netns, addresses };
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
      if (sandbox.netns === null || !(orphans.has(sandbox.uid) || missed)) continue;
      try {
        this.#hold(sandbox);
      } catch (error) {
        this.#parts.log('error', 'a pod that shall be in the mesh cannot be held', {
          pod: nameOf(sandbox),
          error: describeError(error),
        });
      }
    }
  }

  #run(sandbox: Sandbox): void {
    this.#sandboxes.set(sandbox.uid, sandbox);
    if (sandbox.netns !== null && this.#shallJoin(sandbox)) this.#hold(sandbox);
  }

  #stop(sandbox: Sandbox): void {
    if (this.#sandboxes.get(sandbox.uid)?.id !== sandbox.id) return;
    this.withdraw(sandbox.uid);
    this.#sandboxes.delete(sandbox.uid);
    this.#parts.onStopped(sandbox.uid);
  }

  #shallJoin({ labels, namespace }: Sandbox): boolean {
    const own = labels[meshLabel];
    return own === 'enabled' || (own !== 'disabled' && this.#parts.namespaces.has(namespace));
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
    this.#parts.log('info', 'a pod is held until it is configured', { pod: nameOf(sandbox), workload: uid });
    this.#parts.onHeld(uid);
  }
}

function nameOf({ namespace, name }: Sandbox): string {
  return `${namespace}/${name}`;
}
