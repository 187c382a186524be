/** Memory of a process. */
import { readFileSync } from 'node:fs';

/** Its own memory in KiB, without pages of files: RssAnon of /proc/PID/status (proc(5)). */
export function residentKib(pid: number): number {
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}
