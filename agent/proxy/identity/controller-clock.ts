/**
 * How far this node's clock is from the controller's. Certificates are dated by the controller, and held against this
 * node's clock by everything that runs here. The controller tells its time with each bundle and certificate; in between,
 * the steady clock goes on from there, so that a clock that is set shows at once, whichever way.
 */
import type { Timer, Timers } from '../control/timers.js';
import type { ProcessLog } from '../start/process-log.js';

export interface ControllerClockParts {
  readonly timers: Timers;
  /** This node's clock, milliseconds since the epoch. */
  readonly wallClock: () => number;
  readonly log: ProcessLog;
}

/** Less is told by the metric alone: messages take their time, and busy machines theirs. */
const tellMs = 5_000;
const lookMs = 15_000;

export class ControllerClock {
  readonly #parts: ControllerClockParts;
  /** What the controller told last, and the steady clock then. */
  #told: { readonly controllerMs: number; readonly steadyMs: number } | null = null;
  #timer: Timer | undefined;
  /** What was said last, of a clock that is off; 0: they agree. */
  #saidMs = 0;

  constructor(parts: ControllerClockParts) {
    this.#parts = parts;
  }

  /** This node's, milliseconds since the epoch. */
  get nowMs(): number {
    return this.#parts.wallClock();
  }

  /** How far this node's clock is ahead of the controller's (below 0: behind), in milliseconds; null: it never told. */
  get skewMs(): number | null {
    if (this.#told === null) return null;
    const { controllerMs, steadyMs } = this.#told;
    return Math.round(this.nowMs - controllerMs - (this.#parts.timers.now() - steadyMs));
  }

  /** The controller told its time just now; 0: it is one that does not. */
  measured(controllerMs: number): void {
    if (controllerMs === 0) return;
    this.#told = { controllerMs, steadyMs: this.#parts.timers.now() };
    this.#look();
  }

  close(): void {
    this.#timer?.cancel();
    this.#told = null;
  }

  #look(): void {
    this.#timer?.cancel();
    const skewMs = this.skewMs;
    if (skewMs === null) return;
    const off = Math.abs(skewMs) >= tellMs;
    const another = Math.abs(skewMs - this.#saidMs) >= Math.max(tellMs, Math.abs(this.#saidMs) / 2);
    if (off && another) {
      const fix =
        'fix: let both keep time by NTP; certificates that are not valid yet, or not any more, are refused';
      this.#parts.log('warn', `${describeSkew(skewMs)}; ${fix}`, { reason: 'clock_skew' });
    }
    if (!off && this.#saidMs !== 0)
      this.#parts.log('info', "this node's clock and the controller's agree again");
    if (!off || another) this.#saidMs = off ? skewMs : 0;
    this.#timer = this.#parts.timers.after(lookMs, () => this.#look());
  }
}

/** In words; `skewMs` as {@link ControllerClock.skewMs}. */
export function describeSkew(skewMs: number): string {
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  const shown = parts.slice(Math.max(0, first), Math.max(0, first) + 2).filter(([count]) => count > 0);
  const length = shown.map(([count, unit]) => `${count} ${unit}`).join(' ') || '0 s';
  return `this node's clock is ${length} ${skewMs < 0 ? 'behind' : 'ahead of'} the controller's`;
}

/** What a refused handshake with the controller means, where it is about dates, else null; the clocks cannot be compared then. */
export function explainDates(message: string, nowMs: number): string | null {
  const here = `here it is ${new Date(nowMs).toISOString()}`;
  if (/not yet valid/.test(message))
    return `${message} (this node's clock is behind, or the controller's ahead: ${here})`;
  if (/has expired/.test(message))
    return `${message} (this node's clock is ahead, or the controller's behind: ${here})`;
  return null;
}
