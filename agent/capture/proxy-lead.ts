/**
 * Which of a node's proxies leads: it alone enrols pods, publishes rules and speaks for the node, while another one that
 * it replaces, or that shall replace it, only serves connections. Pure but for the timer.
 */
import type { ProxyStanding } from '../handover/messages.js';
import type { Timer } from './watch-proxy.js';

export interface LeadParts<Session> {
  readonly after: (delayMs: number, call: () => void) => Timer;
  /** A proxy led when the capture before handed over: it comes again, and a new one that comes first waits for it. */
  readonly hasLed: boolean;
  /** It leads from now on; not called for one that leads as soon as it is greeted. */
  readonly onLeading: (session: Session) => void;
  readonly onSuperseded: (session: Session) => void;
}

/** After a change of capture the proxies come again one by one: whoever did not lead waits for the one that did. */
const successorMs = 2_000;

export class ProxyLead<Session> {
  readonly #parts: LeadParts<Session>;
  /** The newest last. */
  readonly #standings = new Map<Session, ProxyStanding>();
  #leader: Session | undefined;
  /** The leader is newer than whoever led before, and can do as much. */
  #claimed = false;
  #awaitsLeader: boolean;
  #timer: Timer | undefined;

  constructor(parts: LeadParts<Session>) {
    this.#parts = parts;
    this.#awaitsLeader = parts.hasLed;
  }

  leads(session: Session): boolean {
    return this.#leader === session;
  }

  /** A proxy has come. Returns whether it leads; one that led before and does not any more is to be told. */
  greeted(session: Session, standing: ProxyStanding): boolean {
    const isReplaced = standing === 'leading' && this.#claimed;
    this.#standings.set(session, isReplaced ? 'superseded' : standing);
    if (standing === 'leading') {
      if (!isReplaced) this.#appoint(session);
    } else if (this.#leader === undefined && standing !== 'draining') {
      if (standing === 'fresh' && !this.#awaitsLeader) this.#appoint(session);
      else this.#timer ??= this.#parts.after(successorMs, () => this.#fill());
    }
    return this.#leader === session;
  }

  /** A newer proxy can do all that the leader does. */
  claim(session: Session): void {
    if (this.#leader === session) this.#claimed = true;
    if (this.#leader === session || this.#standings.get(session) !== 'fresh') return;
    this.#appoint(session);
    this.#claimed = true;
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
    this.#claimed = false;
    this.#awaitsLeader = false;
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
    this.#claimed = false;
    const all = [...this.#standings].reverse();
    const [next] = all.find(([, standing]) => standing === 'fresh') ??
      all.find(([, standing]) => standing === 'superseded') ?? [undefined];
    if (next === undefined) return;
    this.#appoint(next);
    this.#parts.onLeading(next);
  }
}
