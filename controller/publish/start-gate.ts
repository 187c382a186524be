/**
 * Who gets its first configuration at the moment. It is large: to find it takes time, and a stream holds it until its agent
 * has taken it. Were a controller that has just started to send it to all nodes at once, their number would decide how
 * much memory that takes, and for how long nobody else is heard (keepalives of agents that are well among them).
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
  #next: NodeJS.Immediate | undefined;

  /** False: `wake` is called once it is its turn. */
  enter(key: Key, wake: () => void): boolean {
    if (this.#inside.has(key) || this.#served.has(key)) return true;
    this.#waiting.set(key, wake);
    this.#admit();
    return false;
  }

  /** It has its first configuration, or is gone. */
  leave(key: Key): void {
    this.#waiting.delete(key);
    const timer = this.#inside.get(key);
    if (timer === undefined) return;
    clearTimeout(timer);
    this.#inside.delete(key);
    this.#served.add(key);
    this.#admit();
  }

  /** One in each turn of the event loop, so that whatever has come meanwhile is heard in between. */
  #admit(): void {
    if (this.#waiting.size === 0 || this.#inside.size >= maxStarting) return;
    this.#next ??= setImmediate(() => {
      this.#next = undefined;
      const [first] = this.#waiting;
      if (first === undefined) return;
      const [key, wake] = first;
      this.#waiting.delete(key);
      this.#inside.set(key, setTimeout(() => this.leave(key), patienceMs).unref());
      wake();
      this.#admit();
    });
  }
}
