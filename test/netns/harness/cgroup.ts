/** Control groups (cgroup2) of a lab: where its processes live, and how all of them are ended for certain. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { awaitEvent } from './await-event.js';

/** The cgroup2 mount point: /sys/fs/cgroup, or /sys/fs/cgroup/unified on a hybrid machine. */
export function findCgroupMount(): string {
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const [fields = '', source = ''] = line.split(' - ');
    if (source.startsWith('cgroup2 ')) return fields.split(' ')[4] ?? '';
  }
  throw new Error('no cgroup2 is mounted: mount one with `mount -t cgroup2 none /sys/fs/cgroup/unified`');
}

export function createCgroup(path: string): void {
  mkdirSync(path, { recursive: true });
}

/** Ids of the processes in a cgroup and all below it. */
export function cgroupProcesses(path: string): number[] {
  return cgroupTree(path).flatMap((folder) =>
    readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number),
  );
}

/**
 * Ends every process in the cgroup and below (cgroup.kill, Linux 5.14), waits until they are gone, and removes it.
 * A process that was just started may still move in, so it is told again until the folders go (EBUSY before).
 */
export async function removeCgroup(path: string): Promise<void> {
  if (!existsSync(path)) return;
  await awaitEvent(`processes of ${path} to end`, 10_000, () => {
    writeFileSync(join(path, 'cgroup.kill'), '1');
    for (const folder of cgroupTree(path).reverse()) rmdirSync(folder);
    return true;
  });
}

/** The folder and all below it, parents first. */
function cgroupTree(path: string): string[] {
  if (!existsSync(path)) return [];
  const below = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [path, ...below.flatMap((entry) => cgroupTree(join(path, entry.name)))];
}
