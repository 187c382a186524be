/** Waiting for what a test must see: by an event where there is one, else by asking again; always with a deadline. */
import { setTimeout as delay } from 'node:timers/promises';

/** A condition that is looked at each time `wake` is called. */
export class Awaited {
  #checks = new Set<() => void>();

  wake(): void {
    for (const check of this.#checks) check();
  }

  /** Rejects after the deadline with what `describe` says then. */
  until(what: string, condition: () => boolean, describe: () => string, timeoutMs = 60_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (error?: Error) => {
        clearTimeout(timer);
        this.#checks.delete(check);
        if (error === undefined) resolve();
        else reject(error);
      };
      const timer = setTimeout(() => done(new Error(`no ${what}: ${describe()}`)), timeoutMs);
      const check = () => {
        if (condition()) done();
      };
      this.#checks.add(check);
      check();
    });
  }
}

/** Asks until the answer satisfies, for what tells nobody when it changes. Rejects with the last answer. */
export async function eventually<Answer>(
  what: string,
  ask: () => Promise<Answer>,
  satisfies: (answer: Answer) => boolean,
  timeoutMs = 60_000,
  everyMs = 100,
): Promise<Answer> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (satisfies(answer)) return answer;
    if (performance.now() > deadline) throw new Error(`no ${what}: ${JSON.stringify(answer)}`);
    await delay(everyMs);
  }
}
