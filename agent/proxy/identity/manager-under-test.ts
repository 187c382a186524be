/** For tests: a manager on a clock that stands still until a test moves it, with real keys, requests and certificates. */
import { PausedTimers } from '../control/paused-timers.js';
import { ControllerClock } from './controller-clock.js';
import { IdentityManager, type WantedIdentity } from './identity-manager.js';
import type { Identity } from './identity-state.js';
import type { Issued } from './issue-failure.js';
import { makeRequest } from './make-request.js';
import type { TestAuthority, Twist } from './test-authority.js';

/** When the clocks begin. */
export const begun = Date.UTC(2026, 0, 1);

export class ManagerUnderTest {
  readonly timers = new PausedTimers();
  /** How far this node's clock is ahead of the authority's. */
  skewMs = 0;
  readonly clock = new ControllerClock({
    timers: this.timers,
    wallClock: () => begun + this.timers.now() + this.skewMs,
    log: (_level, message) => void this.logged.push(message),
  });
  readonly seen: string[] = [];
  readonly settled: string[] = [];
  readonly logged: string[] = [];
  readonly published = new Map<string, Identity>();
  readonly vault: Map<string, string>;
  readonly authority: TestAuthority;
  requests = 0;
  twist: Twist = {};
  lifeMs = 3_600_000;
  /** So much earlier a certificate begins than it was asked for. */
  backdatedMs = 0;
  /** Set: the authority answers so instead of signing. */
  answer: (() => Promise<Issued>) | undefined;
  readonly manager: IdentityManager;

  constructor(authority: TestAuthority, vault = new Map<string, string>()) {
    this.authority = authority;
    this.vault = vault;
    this.manager = new IdentityManager({
      makeRequest,
      issue: (_workload, csr) => this.#issue(csr),
      vault: {
        putSecret: (workload, secret) => void this.vault.set(workload, secret),
        requestSecret: (workload) => this.manager.secretArrived(workload, this.vault.get(workload) ?? null),
        dropSecret: (workload) => void this.vault.delete(workload),
      },
      events: {
        onPublished: (workload, identity) => {
          this.published.set(workload, identity);
          this.seen.push(`published ${workload}`);
        },
        onWithdrawn: (workload, why) => {
          this.published.delete(workload);
          this.seen.push(`${why} ${workload}`);
        },
        onBundle: (roots) => void this.seen.push(`bundle ${roots.length}`),
        onSettled: (workload) => void this.settled.push(workload),
      },
      timers: this.timers,
      clock: this.clock,
      random: () => 0.5,
      log: (level, message, details) => void this.logged.push(JSON.stringify({ level, message, details })),
    });
  }

  get kinds(): string[] {
    return this.manager.statuses.map(({ state }) => state.kind);
  }

  start(...wanted: WantedIdentity[]): void {
    this.manager.captureReady();
    this.manager.setWanted(wanted);
  }

  /** Resolves once the condition holds: keys and signatures are made on other threads meanwhile. */
  async until(what: string, holds: () => boolean): Promise<void> {
    const deadline = performance.now() + 5000;
    while (!holds()) {
      if (performance.now() > deadline) throw new Error(`no ${what}; seen: ${this.seen.join(', ')}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  obtained(times: number): Promise<void> {
    return this.until(`${times} certificates`, () => this.manager.obtained === times);
  }

  failed(times: number): Promise<void> {
    const count = () => [...this.manager.refusals.values()].reduce((sum, one) => sum + one, 0);
    return this.until(`${times} failures`, () => count() === times);
  }

  async #issue(csr: Uint8Array): Promise<Issued> {
    this.requests += 1;
    if (this.answer !== undefined) return this.answer();
    const nowMs = begun + this.timers.now();
    const certificate = await this.authority.sign(
      csr,
      nowMs - this.backdatedMs,
      this.backdatedMs + this.lifeMs,
      this.twist,
    );
    return { chain: [certificate], roots: [this.authority.root], nowMs };
  }
}
