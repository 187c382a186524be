/** Time, passed in, so that tests run on a clock of their own. */

export interface Timer {
  cancel(): void;
}

export interface Timers {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** Calls `run` once after `ms`; an unfinished timer does not keep the process alive. */
  after(ms: number, run: () => void): Timer;
}

/** The process's own clock. */
export const systemTimers: Timers = {
  now: () => performance.now(),
  after: (ms, run) => {
    const timeout = setTimeout(run, ms);
    timeout.unref();
    return { cancel: () => clearTimeout(timeout) };
  },
};
