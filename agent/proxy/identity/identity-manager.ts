// Long because every change of an identity goes through one state, in one place.
/**
 * Keeps one identity per captured workload of this node: found in capture's vault or asked for, checked before it is
 * published, renewed in time, withdrawn with its workload.
 */
import { findBundleProblem, type SvidCheck, type SvidPurpose } from '../../../proto/check-svid.js';
import type { Timer, Timers } from '../control/timers.js';
import { describeError, type ProcessLog } from '../start/process-log.js';
import { acceptIssued, type CertifiedKey, checkIdentity, type Judge } from './check-identity.js';
import type { ControllerClock } from './controller-clock.js';
import {
  type Identity,
  type IdentityEvent,
  type IdentityState,
  identityOf,
  nextState,
  wantsCertificate,
} from './identity-state.js';
import { type Issued, IssueFailure } from './issue-failure.js';
import type { KeyAndRequest } from './make-request.js';
import { renewalTime, retryDelay } from './renewal-schedule.js';
import { decodeSecret, encodeSecret } from './vault-secret.js';

/** A workload that shall have an identity. */
export interface WantedIdentity {
  readonly workload: string;
  readonly spiffeId: string;
}

/** Who uses identities: the transport. What was published stays in force until it is replaced or withdrawn. */
export interface IdentityEvents {
  readonly onPublished: (workload: string, identity: Identity) => void;
  /** Expired, or the workload has left or is another: its connections must not go on. */
  readonly onWithdrawn: (workload: string, why: 'expired' | 'withdrawn') => void;
  /** Capture's vault has answered: whether the workload has an identity by now is known. */
  readonly onSettled: (workload: string) => void;
  /** The roots to trust, DER. */
  readonly onBundle: (roots: readonly Uint8Array[]) => void;
}

export interface IdentityManagerParts {
  /** What the identities are for; default: workloads. */
  readonly purpose?: SvidPurpose;
  readonly makeRequest: (spiffeId: string) => Promise<KeyAndRequest>;
  /** Rejects with IssueFailure. */
  readonly issue: (workload: string, csr: Uint8Array) => Promise<Issued>;
  /** Requests to capture; lost while it is away. */
  readonly vault: {
    putSecret(workload: string, secret: string): void;
    requestSecret(workload: string): void;
    dropSecret(workload: string): void;
  };
  readonly events: IdentityEvents;
  readonly timers: Timers;
  /** Certificates end by the wall clock. */
  readonly clock: ControllerClock;
  /** 0 to 1. */
  readonly random: () => number;
  readonly log: ProcessLog;
}

/** What is told of one workload's identity; nothing of it is secret. */
export interface IdentityStatus {
  readonly workload: string;
  readonly spiffeId: string;
  readonly state: IdentityState;
  /** Why the last attempt failed; null after one that did not. */
  readonly problem: { readonly reason: string; readonly message: string } | null;
}

interface Held extends WantedIdentity {
  state: IdentityState;
  problem: IdentityStatus['problem'];
  /** On the steady clock: when to renew, whatever becomes of the wall clock. */
  renewAtSteadyMs: number;
  /** Not in force by this node's clock, which may be what is wrong: tried again before another one is asked for. */
  lapsed: CertifiedKey | undefined;
  /** Renewal and expiry. */
  life: Timer | undefined;
  retry: Timer | undefined;
  /** Runs while the first certificate is waited for; undefined afterwards. */
  first: Timer | undefined;
}

/** A new pod waits for its first certificate at most so long. */
const firstMs = 30_000;
/**
 * Of several controllers the one that is asked may hear of a new pod later than the one whose configuration named it: then it
 * says so, and is asked again so soon.
 */
const behindMs = 250;
const behindReason = 'identity_not_on_node';
/** The wall clock may jump: never sleep longer before looking at it. */
const longestSleepMs = 60_000;
/** Part of a certificate's life that is left when failing to renew it becomes urgent. */
const nearEnd = 0.2;
/** Making keys takes CPU, and the authority refuses a flood. */
const maxAttempts = 8;

export class IdentityManager {
  readonly #parts: IdentityManagerParts;
  readonly #held = new Map<string, Held>();
  readonly #refusals = new Map<string, number>();
  readonly #queue: Held[] = [];
  #attempts = 0;
  #obtained = 0;
  #roots: readonly Uint8Array[] = [];
  #captureReady = false;

  constructor(parts: IdentityManagerParts) {
    this.#parts = parts;
  }

  get statuses(): readonly IdentityStatus[] {
    return [...this.#held.values()];
  }

  /** Failed attempts by reason. */
  get refusals(): ReadonlyMap<string, number> {
    return this.#refusals;
  }

  /** Certificates that were issued to this proxy. */
  get obtained(): number {
    return this.#obtained;
  }

  /** The roots to trust, DER; empty before any is known. */
  get roots(): readonly Uint8Array[] {
    return this.#roots;
  }

  /** The configuration wants these and no others. */
  setWanted(wanted: readonly WantedIdentity[]): void {
    const names = new Map(wanted.map(({ workload, spiffeId }) => [workload, spiffeId]));
    for (const held of this.#held.values()) {
      if (names.get(held.workload) !== held.spiffeId) this.#withdraw(held);
    }
    for (const one of wanted) if (!this.#held.has(one.workload)) this.#want(one);
  }

  /** Capture greeted: what it may have lost is put again, what it may hold is asked for. */
  captureReady(): void {
    this.#captureReady = true;
    for (const held of this.#held.values()) {
      if (held.state.kind === 'none') this.#parts.vault.requestSecret(held.workload);
      else this.#keep(held);
    }
  }

  captureLost(): void {
    this.#captureReady = false;
  }

  /** What the vault keeps; null where nothing, or where capture refused to say. */
  secretArrived(workload: string, secret: string | null): void {
    const held = this.#held.get(workload);
    if (held?.state.kind !== 'none') return;
    const identity = secret === null ? null : this.#restore(held, secret);
    if (identity !== null) this.#obtain(held, identity, identity.svid.notBeforeMs);
    else {
      this.#apply(held, { type: 'vault-empty' });
      held.first = this.#parts.timers.after(firstMs, () => this.#stopWaiting(held));
      this.#enqueue(held);
    }
    this.#parts.events.onSettled(workload);
  }

  /** False while capture's vault may hold the identity of the workload and has not answered. */
  settled(workload: string): boolean {
    return this.#held.get(workload)?.state.kind !== 'none';
  }

  /** False also while its first certificate is on the way: for a while, and until asking has failed for good. */
  answered(workload: string): boolean {
    return this.settled(workload) && this.#held.get(workload)?.first === undefined;
  }

  /** New roots to trust, DER. An identity that they do not vouch for is renewed at once. */
  takeBundle(roots: readonly Uint8Array[]): void {
    const problem = findBundleProblem(roots);
    if (problem !== null) {
      this.#parts.log('error', `a trust bundle was refused: ${problem}`, { reason: 'certificate_refused' });
      return;
    }
    if (sameRoots(roots, this.#roots)) return;
    this.#roots = roots;
    this.#parts.events.onBundle(roots);
    for (const held of this.#held.values()) {
      const identity = identityOf(held.state);
      if (identity === null) continue;
      this.#keep(held);
      if (!this.#check(held, identity).ok) this.#renew(held);
    }
  }

  close(): void {
    for (const held of this.#held.values()) stopTimers(held);
  }

  #want({ workload, spiffeId }: WantedIdentity): void {
    const held: Held = {
      workload,
      spiffeId,
      state: { kind: 'none' },
      problem: null,
      renewAtSteadyMs: Number.POSITIVE_INFINITY,
      lapsed: undefined,
      life: undefined,
      retry: undefined,
      first: undefined,
    };
    this.#held.set(workload, held);
    if (this.#captureReady) this.#parts.vault.requestSecret(workload);
  }

  #withdraw(held: Held): void {
    this.#held.delete(held.workload);
    stopTimers(held);
    this.#apply(held, { type: 'withdrawn' });
    this.#parts.vault.dropSecret(held.workload);
  }

  /** Every change of a state goes through here, and what it means to the transport follows. */
  #apply(held: Held, event: IdentityEvent): void {
    const before = identityOf(held.state);
    held.state = nextState(held.state, event);
    const now = identityOf(held.state);
    if (now !== null && now !== before) this.#parts.events.onPublished(held.workload, now);
    if (now === null && before !== null) {
      const why = event.type === 'expired' ? 'expired' : 'withdrawn';
      this.#parts.events.onWithdrawn(held.workload, why);
    }
  }

  /** `sinceMs`: as renewalTime's. */
  #obtain(held: Held, identity: Identity, sinceMs: number): void {
    const { clock, timers, random } = this.#parts;
    held.problem = null;
    held.lapsed = undefined;
    const renewAtMs = renewalTime(identity.svid, sinceMs, random());
    held.renewAtSteadyMs = timers.now() + (renewAtMs - clock.nowMs);
    this.#apply(held, { type: 'obtained', identity, renewAtMs });
    this.#follow(held);
  }

  #restore(held: Held, secret: string): Identity | null {
    const found = decodeSecret(secret);
    if (found === null) return null;
    if (this.#roots.length === 0) this.takeBundle(found.roots);
    const identity = { chain: found.chain, privateKey: found.privateKey };
    const check = this.#check(held, identity);
    if (check.ok) return { ...identity, svid: check.svid };
    held.lapsed = identity;
    const { workload } = held;
    this.#parts.log('info', `a kept identity is not used: ${check.problem}`, { workload });
    return null;
  }

  #judge({ spiffeId }: Held): Judge {
    const { purpose = 'workload', clock } = this.#parts;
    return { spiffeId, purpose, roots: this.#roots, clock };
  }

  #check(held: Held, pair: CertifiedKey): SvidCheck {
    return checkIdentity(pair, this.#judge(held));
  }

  #keep(held: Held): void {
    const identity = identityOf(held.state);
    if (identity !== null) {
      this.#parts.vault.putSecret(held.workload, encodeSecret({ ...identity, roots: this.#roots }));
    }
  }

  /** Looks at the clock when something falls due, and at least once a minute. */
  #follow(held: Held): void {
    held.life?.cancel();
    const identity = identityOf(held.state);
    if (identity === null) return;
    const { nowMs } = this.#parts.clock;
    const { expiresMs } = identity.svid;
    if (nowMs >= expiresMs) {
      this.#expire(held, identity);
      return;
    }
    const leftMs = held.state.kind === 'ready' ? this.#untilRenewal(held, held.state.renewAtMs) : Infinity;
    if (leftMs <= 0) {
      this.#renew(held);
      return;
    }
    const sleepMs = Math.min(longestSleepMs, leftMs, Math.max(1, expiresMs - nowMs));
    held.life = this.#parts.timers.after(sleepMs, () => this.#follow(held));
  }

  /** By whichever clock it is sooner: the wall clock may be set back, and the steady one stands while a machine sleeps. */
  #untilRenewal(held: Held, renewAtMs: number): number {
    const { clock, timers } = this.#parts;
    return Math.min(renewAtMs - clock.nowMs, held.renewAtSteadyMs - timers.now());
  }

  #expire(held: Held, identity: Identity): void {
    const { workload, spiffeId, state } = held;
    this.#apply(held, { type: 'expired' });
    held.lapsed = identity;
    const message = `the identity ${spiffeId} has expired; is the controller running, and the clock right?`;
    this.#parts.log('error', message, { workload });
    // A clock that jumps ends it before another one was asked for.
    if (state.kind === 'ready') this.#enqueue(held);
  }

  #renew(held: Held): void {
    if (held.state.kind !== 'ready') return;
    this.#apply(held, { type: 'renewal-due' });
    this.#follow(held);
    this.#enqueue(held);
  }

  #stopWaiting(held: Held): void {
    if (held.first === undefined) return;
    held.first.cancel();
    held.first = undefined;
    this.#parts.events.onSettled(held.workload);
  }

  #enqueue(held: Held): void {
    this.#queue.push(held);
    this.#startAttempts();
  }

  #startAttempts(): void {
    while (this.#attempts < maxAttempts) {
      const held = this.#queue.shift();
      if (held === undefined) return;
      if (!wantsCertificate(held.state)) continue;
      this.#attempts += 1;
      this.#attempt(held).finally(() => {
        this.#attempts -= 1;
        this.#startAttempts();
      });
    }
  }

  /** Never rejects. */
  async #attempt(held: Held): Promise<void> {
    if (this.#resume(held)) return;
    try {
      const { csr, privateKey } = await this.#parts.makeRequest(held.spiffeId);
      const { chain, roots, nowMs } = await this.#parts.issue(held.workload, csr);
      this.#parts.clock.measured(nowMs);
      if (!wantsCertificate(held.state)) return;
      this.takeBundle(roots);
      const svid = acceptIssued({ chain, privateKey }, this.#judge(held));
      this.#obtained += 1;
      this.#obtain(held, { chain, privateKey, svid }, this.#parts.clock.nowMs);
      this.#stopWaiting(held);
      this.#keep(held);
      const { serial, expiresMs } = svid;
      const expires = new Date(expiresMs).toISOString();
      this.#parts.log('info', `identity ${held.spiffeId} is in force`, {
        workload: held.workload,
        serial,
        expires,
      });
    } catch (error) {
      if (wantsCertificate(held.state)) this.#failed(held, error);
    }
  }

  /** What had lapsed by a wrong clock is in force again once the clock is right. */
  #resume(held: Held): boolean {
    const { lapsed } = held;
    const check = lapsed === undefined ? undefined : this.#check(held, lapsed);
    if (lapsed === undefined || !check?.ok) return false;
    this.#obtain(held, { ...lapsed, svid: check.svid }, check.svid.notBeforeMs);
    this.#stopWaiting(held);
    this.#parts.log('info', `identity ${held.spiffeId} is in force again`, { workload: held.workload });
    return true;
  }

  #failed(held: Held, error: unknown): void {
    const reason = error instanceof IssueFailure ? error.reason : 'issuer_failed';
    const message = describeError(error);
    this.#refusals.set(reason, (this.#refusals.get(reason) ?? 0) + 1);
    this.#tell(held, reason, message);
    held.problem = { reason, message };
    const failures = 'failures' in held.state ? held.state.failures : 0;
    const remainingMs = (identityOf(held.state)?.svid.expiresMs ?? 0) - this.#parts.clock.nowMs;
    this.#apply(held, { type: 'failed' });
    const isBehind = held.first !== undefined && reason === behindReason;
    if (!isBehind) this.#stopWaiting(held);
    const random = this.#parts.random();
    const delayMs = isBehind ? behindMs * (0.5 + 0.5 * random) : retryDelay(failures, remainingMs, random);
    held.retry = this.#parts.timers.after(delayMs, () => this.#enqueue(held));
  }

  /** Once per reason; every time, and loudly, when what is in force is near its end. */
  #tell(held: Held, reason: string, message: string): void {
    const { workload, spiffeId } = held;
    const svid = identityOf(held.state)?.svid;
    const remainingMs = svid === undefined ? 0 : svid.expiresMs - this.#parts.clock.nowMs;
    if (svid !== undefined && remainingMs < (svid.expiresMs - svid.notBeforeMs) * nearEnd) {
      const seconds = Math.round(remainingMs / 1000);
      const text = `the identity ${spiffeId} ends in ${seconds} s and there is no new one: ${message}`;
      this.#parts.log('error', text, { workload, reason });
    } else if (held.problem?.reason !== reason) {
      this.#parts.log('warn', `no certificate for ${spiffeId}: ${message}`, { workload, reason });
    }
  }
}

function stopTimers(held: Held): void {
  held.life?.cancel();
  held.retry?.cancel();
  held.first?.cancel();
}

function sameRoots(left: readonly Uint8Array[], right: readonly Uint8Array[]): boolean {
  return (
    left.length === right.length &&
    left.every((der, at) => Buffer.compare(der, right[at] as Uint8Array) === 0)
  );
}
