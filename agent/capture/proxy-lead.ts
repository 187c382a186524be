/**
 * Which of a node's proxies leads: it alone enrols pods, publishes rules and speaks for the node, while another one that
 * it replaces, or that shall replace it, only serves connections. Pure but for the timer.
 */
import type { ProxyStanding } from '../handover/messages.js';
import type { Timer } from './watch-proxy.js';

export interface LeadParts<Session> {
  readonly after: (delayMs: number, call: () => void) => Timer;
  /** It leads from now on; not called for one that leads as soon as it is greeted. */
  readonly onLeading: (session: Session) => void;
  readonly onSuperseded: (session: Session) => void;
}

/** After a change of capture the proxies come again one by one: one that had been replaced waits for its successor. */
const successorMs = 2_000;

export class ProxyLead<Session> {
  readonly #parts: LeadParts<Session>;
  /** The newest last. */
  readonly #standings = new Map<Session, ProxyStanding>();
  #leader: Session | undefined;
  #timer: Timer | undefined;

  constructor(parts: LeadParts<Session>) {
    this.#parts = parts;
  }

  leads(session: Session): boolean {
    return this.#leader === session;
  }

  /** A proxy has come. Returns whether it leads. */
  greeted(session: Session, standing: ProxyStanding): boolean {
    this.#standings.set(session, standing);
    if (standing === 'leading' || (standing === 'fresh' && this.#leader === undefined))
      this.#appoint(session);
    else if (this.#leader === undefined && standing === 'superseded') {
      this.#timer ??= this.#parts.after(successorMs, () => this.#fill());
    }
    return this.#leader === session;
  }

  /** A newer proxy can do all that the leader does. */
  claim(session: Session): void {
    if (this.#leader === session || this.#standings.get(session) !== 'fresh') return;
    this.#appoint(session);
    this.#parts.onLeading(session);
  }

  /** It ends soon. */
  resign(session: Session): void {
    this.#standings.set(session, 'draining');
    if (this.#leader === session) this.#fill();
  }

  gone(session: Session): void {
    this.#standings.delete(session);
    if (this.#leader === session) this.#fill();
  }

  close(): void {
    this.#timer?.cancel();
  }

  #appoint(session: Session): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const before = this.#leader;
    this.#leader = session;
    this.#standings.set(session, 'leading');
    if (before === undefined || before === session) return;
    this.#standings.set(before, 'superseded');
    this.#parts.onSuperseded(before);
  }

  /** The newest one that does not end leads; better one that was replaced than none. */
  #fill(): void {
    this.#timer = undefined;
    this.#leader = undefined;
    const all = [...this.#standings].reverse();
    const [next] = all.find(([, standing]) => standing === 'fresh') ??
      all.find(([, standing]) => standing === 'superseded') ?? [undefined];
    if (next === undefined) return;
    this.#appoint(next);
    this.#parts.onLeading(next);
  }
}
