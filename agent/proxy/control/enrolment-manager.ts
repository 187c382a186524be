/**
 * Keeps capture's enrolments and the workers' workloads equal to what the configuration wants: each captured workload
 * of this node is enrolled, its listeners go to one worker, and a workload that leaves is withdrawn from both.
 */
import type { Enrolment, Listener, ProxyMessage } from '../../handover/messages.js';
import type { Family } from '../../handover/values.js';
import type { ToWorker } from '../worker/messages.js';
import type { StandingWorkloads } from './handover-client.js';
import type { WorkloadPlace } from './identity-delivery.js';
import type { Timer, Timers } from './timers.js';

export interface EnrolmentParts {
  readonly workers: number;
  /** Requests to capture; lost while it is away, and asked again by {@link EnrolmentManager.captureReady}. */
  readonly capture: {
    enrol(enrolment: Enrolment): void;
    withdraw(workload: string): void;
    requestSockets(workload: string, family: Family, count: number): void;
  };
  /** Whether the configuration speaks of the workload at all: then what it does not want captured is released. */
  readonly isKnown: (workload: string) => boolean;
  readonly deliver: (worker: number, message: ToWorker) => void;
  /**
   * False: a workload's listeners wait for {@link EnrolmentManager.release}, new connections in their backlog. `isNew`:
   * nothing of the pod ran before it was captured.
   */
  readonly mayServe: (workload: string, isNew: boolean) => boolean;
  /** Inode of an open descriptor: equal for duplicates of one socket. */
  readonly inodeOf: (descriptor: number) => number;
  readonly closeDescriptor: (descriptor: number) => void;
  readonly timers: Timers;
}

/** How one workload's enrolment stands. */
export interface EnrolmentStatus {
  readonly workload: string;
  /** `capture`: it has not enrolled the workload; `identity`: nobody can prove to be it yet; `nothing`: it is served. */
  readonly waitsFor: 'capture' | 'identity' | 'nothing';
  /** Why capture refused the last time; empty where it did not. */
  readonly refusal: string;
}

interface Pod {
  readonly handle: number;
  readonly worker: number;
  enrolment: Enrolment;
  /** Text of the enrolment, to see whether it changed. */
  wanted: string;
  /** Inodes of its listeners. */
  readonly listeners: Set<number>;
  /** Listeners that no worker has yet. */
  waiting: { readonly listener: Listener; readonly descriptor: number }[];
  readonly socketsAsked: Map<Family, number>;
  /** Families that its worker has got sockets of, and those of them that it has asked for again. */
  readonly stocked: Set<Family>;
  readonly busy: Set<Family>;
  retry: Timer | undefined;
  refusals: number;
  /** What capture said last; empty once it has done it. */
  refusal: string;
  /** Capture held it from before its first process. */
  isNew: boolean;
}

/** A withdrawn workload, until its worker forgets it. */
interface Leaving {
  readonly worker: number;
  readonly handle: number;
  /** listening: capture may still steer connections to it. */
  step: 'listening' | 'retiring';
  timer: Timer;
}

/** Connections of a workload that has left are served for so long, and told to leave; then they end within the grace. */
const retireMs = 4_000;
const withdrawGraceMs = 1_000;
/** Ready-made sockets for what a busy workload still has to connect after capture has let it go. */
const lastSockets = 32;
/** Connections that were on their way to a listener when capture took the last steering away are accepted until then. */
const backlogMs = 100;
/** Capture says when it has; this long is waited where it does not. */
const releaseMs = 2_000;
const retryFirstMs = 500;
const retryMaxMs = 30_000;

export class EnrolmentManager {
  readonly #parts: EnrolmentParts;
  readonly #pods = new Map<string, Pod>();
  readonly #uids = new Map<number, string>();
  readonly #load: number[];
  #nextHandle = 1;
  #authoritative = false;
  /** What capture kept from an earlier proxy and nobody has claimed yet. */
  #kept: readonly string[] = [];
  /** Withdrawn ones whose worker still serves what was on its way. */
  readonly #leaving = new Map<string, Leaving>();
  /** New pods that capture holds and the configuration does not speak of yet. */
  readonly #held = new Set<string>();

  constructor(parts: EnrolmentParts) {
    this.#parts = parts;
    this.#load = new Array<number>(parts.workers).fill(0);
  }

  /** Workloads that capture has enrolled and a worker serves. */
  get served(): number {
    let count = 0;
    for (const pod of this.#pods.values()) count += isServed(pod) ? 1 : 0;
    return count;
  }

  /** Each wanted workload is served, or capture has refused it at least once. */
  get settled(): boolean {
    for (const pod of this.#pods.values()) if (!isServed(pod) && pod.refusals === 0) return false;
    return true;
  }

  get wanted(): number {
    return this.#pods.size;
  }

  /** Uids of the workloads that are wanted, and whether a worker serves each. */
  *standings(): Iterable<readonly [uid: string, served: boolean]> {
    for (const [uid, pod] of this.#pods) yield [uid, isServed(pod)];
  }

  /** Every wanted workload and what it waits for, for people. */
  *list(): Iterable<EnrolmentStatus> {
    for (const [workload, pod] of this.#pods) {
      const waitsFor = isServed(pod) ? 'nothing' : pod.listeners.size === 0 ? 'capture' : 'identity';
      yield { workload, waitsFor, refusal: pod.refusal };
    }
  }

  uidOf(handle: number): string | undefined {
    return this.#uids.get(handle);
  }

  /** Which worker serves a workload, under which handle; undefined where it is not wanted. */
  placeOf(uid: string): WorkloadPlace | undefined {
    return this.#pods.get(uid);
  }

  /**
   * The configuration wants these and no others. `authoritative`: it is the controller's present one. A saved one may be
   * older than what an earlier proxy had enrolled, so it takes nothing away that capture kept.
   */
  setWanted(enrolments: readonly Enrolment[], authoritative: boolean): void {
    this.#authoritative ||= authoritative;
    const wanted = new Set(enrolments.map((enrolment) => enrolment.workload));
    for (const uid of this.#pods.keys()) if (!wanted.has(uid)) this.#withdraw(uid);
    for (const enrolment of enrolments) this.#want(enrolment);
    if (this.#authoritative) this.#withdrawUnclaimed();
    this.#releaseUnwanted();
  }

  /** Capture holds a new pod: enrol it, release it, or wait until the configuration speaks of it. */
  held(uid: string): void {
    const pod = this.#pods.get(uid);
    if (pod !== undefined) {
      pod.isNew = true;
      this.#enrol(pod);
      return;
    }
    this.#held.add(uid);
    this.#releaseUnwanted();
  }

  /** Capture greeted: ask for everything again. */
  captureReady({ enrolled, held }: StandingWorkloads): void {
    this.#held.clear();
    for (const uid of held) this.#held.add(uid);
    this.#kept = enrolled.filter((uid) => !this.#held.has(uid));
    for (const [uid, pod] of this.#pods) {
      this.#enrol(pod);
      for (const [family, count] of pod.socketsAsked) this.#parts.capture.requestSockets(uid, family, count);
    }
    if (this.#authoritative) this.#withdrawUnclaimed();
    this.#releaseUnwanted();
  }

  /** Another proxy decides from now on what is wanted; where this one ever does again, it must hear of it first. */
  superseded(): void {
    this.#authoritative = false;
    this.#kept = [];
    this.#held.clear();
  }

  enrolled(uid: string, listeners: readonly Listener[], descriptors: readonly number[]): void {
    const pod = this.#pods.get(uid);
    if (pod === undefined) {
      this.#closeAll(descriptors);
      return;
    }
    pod.refusals = 0;
    pod.refusal = '';
    this.#held.delete(uid);
    for (const [index, descriptor] of descriptors.entries()) {
      const listener = listeners[index];
      const inode = this.#parts.inodeOf(descriptor);
      if (listener === undefined || pod.listeners.has(inode)) this.#parts.closeDescriptor(descriptor);
      else {
        pod.listeners.add(inode);
        pod.waiting.push({ listener, descriptor });
      }
    }
    this.release(uid);
  }

  /** Hands a workload's listeners to its worker, where it may be served by now. */
  release(uid: string): void {
    const pod = this.#pods.get(uid);
    if (pod === undefined || pod.waiting.length === 0) return;
    if (!this.#parts.mayServe(uid, pod.isNew)) return;
    const fresh = pod.waiting;
    pod.waiting = [];
    this.#parts.deliver(pod.worker, {
      type: 'listeners',
      handle: pod.handle,
      uid,
      listeners: fresh.map((entry) => entry.listener),
      descriptors: fresh.map((entry) => entry.descriptor),
    });
  }

  /** Capture steers nothing to the workload's listeners any more. */
  withdrawn(uid: string): void {
    const leaving = this.#leaving.get(uid);
    if (leaving?.step !== 'listening') return;
    leaving.timer.cancel();
    leaving.timer = this.#parts.timers.after(backlogMs, () => this.#retire(uid, leaving));
  }

  /** A worker's stock of ready-made sockets is low. */
  socketsLow(handle: number, family: Family, count: number): void {
    const uid = this.#uids.get(handle);
    const pod = uid === undefined ? undefined : this.#pods.get(uid);
    if (uid === undefined || pod === undefined) return;
    if (pod.stocked.has(family)) pod.busy.add(family);
    pod.stocked.add(family);
    pod.socketsAsked.set(family, count);
    this.#parts.capture.requestSockets(uid, family, count);
  }

  sockets(uid: string, family: Family, descriptors: readonly number[]): void {
    const pod = this.#pods.get(uid);
    const place = pod ?? this.#leaving.get(uid);
    if (place === undefined) {
      this.#closeAll(descriptors);
      return;
    }
    pod?.socketsAsked.delete(family);
    this.#parts.deliver(place.worker, { type: 'sockets', handle: place.handle, family, descriptors });
  }

  /** Capture could not do it: try again later, for as long as the configuration wants it. */
  refused(request: ProxyMessage['type'], uid: string | undefined, message: string): void {
    const pod = uid === undefined ? undefined : this.#pods.get(uid);
    if (uid === undefined || pod === undefined || (request !== 'enrol' && request !== 'sockets')) return;
    pod.retry?.cancel();
    const delayMs = Math.min(retryMaxMs, retryFirstMs * 2 ** Math.min(pod.refusals, 10));
    pod.refusals += 1;
    pod.refusal = message;
    pod.retry = this.#parts.timers.after(delayMs, () => {
      if (request === 'enrol') this.#enrol(pod);
      else
        for (const [family, count] of pod.socketsAsked)
          this.#parts.capture.requestSockets(uid, family, count);
    });
  }

  #want(enrolment: Enrolment): void {
    const text = JSON.stringify(enrolment);
    const pod = this.#pods.get(enrolment.workload);
    if (pod === undefined) {
      this.#enrol(this.#admit(enrolment, text));
    } else if (pod.wanted !== text) {
      pod.enrolment = enrolment;
      pod.wanted = text;
      this.#enrol(pod);
    }
  }

  #admit(enrolment: Enrolment, wanted: string): Pod {
    const worker = this.#load.indexOf(Math.min(...this.#load));
    this.#load[worker] = (this.#load[worker] ?? 0) + 1;
    const handle = this.#nextHandle;
    this.#nextHandle += 1;
    const pod: Pod = {
      handle,
      worker,
      enrolment,
      wanted,
      listeners: new Set(),
      waiting: [],
      socketsAsked: new Map(),
      stocked: new Set(),
      busy: new Set(),
      retry: undefined,
      refusals: 0,
      refusal: '',
      isNew: this.#held.has(enrolment.workload),
    };
    this.#pods.set(enrolment.workload, pod);
    this.#uids.set(handle, enrolment.workload);
    return pod;
  }

  #enrol(pod: Pod): void {
    pod.retry?.cancel();
    this.#parts.capture.enrol(pod.enrolment);
  }

  #withdraw(uid: string): void {
    const pod = this.#pods.get(uid);
    if (pod === undefined) return;
    pod.retry?.cancel();
    this.#pods.delete(uid);
    this.#uids.delete(pod.handle);
    this.#load[pod.worker] = (this.#load[pod.worker] ?? 1) - 1;
    for (const family of pod.busy) this.#parts.capture.requestSockets(uid, family, lastSockets);
    this.#parts.capture.withdraw(uid);
    this.#closeAll(pod.waiting.map(({ descriptor }) => descriptor));
    this.#leave(uid, pod);
  }

  /** Its listeners stay until nothing is sent there any more: who has connected is served. */
  #leave(uid: string, { worker, handle }: Pod): void {
    const before = this.#leaving.get(uid);
    if (before !== undefined) this.#forget(uid, before);
    const timer = this.#parts.timers.after(releaseMs, () => this.#retire(uid, leaving));
    const leaving: Leaving = { worker, handle, step: 'listening', timer };
    this.#leaving.set(uid, leaving);
  }

  /** Its listeners close, once the worker has emptied their backlogs. */
  #retire(uid: string, leaving: Leaving): void {
    leaving.step = 'retiring';
    this.#parts.deliver(leaving.worker, { type: 'retire', handle: leaving.handle, endMs: retireMs });
    leaving.timer = this.#parts.timers.after(retireMs, () => this.#forget(uid, leaving));
  }

  #forget(uid: string, { worker, handle, timer }: Leaving): void {
    timer.cancel();
    this.#leaving.delete(uid);
    this.#parts.deliver(worker, { type: 'withdraw', handle, graceMs: withdrawGraceMs });
  }

  /** Held pods that the configuration speaks of: it wants them, or they are let go. */
  #releaseUnwanted(): void {
    for (const uid of this.#held) {
      const wanted = this.#pods.has(uid);
      const release = !wanted && this.#authoritative && this.#parts.isKnown(uid);
      if (wanted || release) this.#held.delete(uid);
      if (release) this.#parts.capture.withdraw(uid);
    }
  }

  /** Only once the controller has spoken: before it, nobody can tell what is unwanted. */
  #withdrawUnclaimed(): void {
    for (const uid of this.#kept) if (!this.#pods.has(uid)) this.#parts.capture.withdraw(uid);
    this.#kept = [];
  }

  #closeAll(descriptors: readonly number[]): void {
    for (const descriptor of descriptors) this.#parts.closeDescriptor(descriptor);
  }
}

function isServed(pod: Pod): boolean {
  return pod.listeners.size > 0 && pod.waiting.length === 0;
}
