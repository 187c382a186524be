/**
 * Who gets its first configuration at the moment. It is large, and a stream holds it until its agent has taken it: were a
 * controller that has just started to send it to all nodes at once, their number would decide how much memory that takes.
 */

/** Enough for the network to be busy while some of them apply what they got. */
export const maxStarting = 32;
/** Who takes longer makes room for others, and is served on. */
export const patienceMs = 10_000;

export class StartGate<Key extends object> {
  readonly #inside = new Map<Key, NodeJS.Timeout>();
  readonly #served = new WeakSet<Key>();
  /** First come, first served. */
  readonly #waiting = new Map<Key, () => void>();

  /** False: `wake` is called once there is room. */
  enter(key: Key, wake: () => void): boolean {
    if (this.#inside.has(key) || this.#served.has(key)) return true;
    if (this.#inside.size >= maxStarting) {
      this.#waiting.set(key, wake);
      return false;
    }
    this.#inside.set(key, setTimeout(() => this.leave(key), patienceMs).unref());
    return true;
  }

  /** It has its first configuration, or is gone. */
  leave(key: Key): void {
    this.#waiting.delete(key);
    const timer = this.#inside.get(key);
    if (timer === undefined) return;
    clearTimeout(timer);
    this.#inside.delete(key);
    this.#served.add(key);
    for (const [next, wake] of this.#waiting) {
      this.#waiting.delete(next);
      wake();
      return;
    }
  }
}
