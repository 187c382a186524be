/** What a process has cost. */
import { readFileSync } from 'node:fs';

/** Processor time of all its threads so far, in clock ticks of 10 ms (utime and stime of /proc/PID/stat, proc(5)). */
export function processorTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}
