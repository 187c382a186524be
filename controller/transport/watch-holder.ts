/**
 * Whether a replica may serve agents. One that has just started may not before it leads or has followed: it knows no
 * phases. One that is out of touch with those who decide may not either: its agents would not hear what is decided, and
 * nobody waits for them for ever. They come again, to another replica. Pure.
 */

/**
 * Out of touch for so long: agents are sent away. With the time between two looks at the lease shorter than takeOverMs
 * (transport-phases.ts), so that a new holder moves nothing before, and much shorter than patienceMs (node-book.ts).
 */
export const cutOffMs = 8_000;
/** A holder whose lease has not changed for so long is not there: it decides for two or three seconds more at most. */
export const silentMs = 7_000;
/**
 * So much longer than others waits with taking the lease who holds no phases, or maybe old ones: whoever follows the
 * holder looks at the lease within this time.
 */
export const reluctanceMs = 5_000;

export class HolderWatch {
  #begun = false;
  #inTouch = false;
  #fineUntilMs = Number.NEGATIVE_INFINITY;

  /** This controller leads, or a leader hears it; or no more. */
  inTouch(inTouch: boolean, nowMs: number): void {
    if (this.#inTouch && !inTouch) this.#fineUntilMs = nowMs + cutOffMs;
    this.#inTouch = inTouch;
  }

  /** The lease was read, and nobody who could be followed holds it: nobody decides anything now. */
  sawNobody(nowMs: number): void {
    this.#fineUntilMs = nowMs + cutOffMs;
  }

  /** This controller leads, or holds what a leader has told. */
  begun(): void {
    this.#begun = true;
  }

  /** Agents may come and stay. */
  mayServe(nowMs: number): boolean {
    return this.#begun && (this.#inTouch || nowMs < this.#fineUntilMs);
  }

  /** How long this controller leaves a free lease to others. */
  reluctanceMs(nowMs: number): number {
    return this.mayServe(nowMs) ? 0 : reluctanceMs;
  }
}
