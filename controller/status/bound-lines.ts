/** Warnings about strangers: who may knock as often as they like must not fill the log. */
import type { Log } from './log.js';

const maxLinesPerSecond = 20;

/** Writes so many a second; how many more there were is said by the next one. `now` is in milliseconds. */
export function boundLines(log: Log, now: () => number): Log['warn'] {
  let second = 0;
  let lines = 0;
  return (message, details) => {
    const current = Math.floor(now() / 1000);
    if (current !== second) {
      const unsaid = lines - maxLinesPerSecond;
      second = current;
      lines = 0;
      if (unsaid > 0) log.warn(`${unsaid} more refusals of that second are not in this log`);
    }
    lines += 1;
    if (lines <= maxLinesPerSecond) log.warn(message, details);
  };
}
