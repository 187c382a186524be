/** What a tree of processes uses: CPU time, and memory with the kernel's memory for its sockets. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Kernel objects that one open TCP socket is made of. */
const socketSlabs = ['TCP', 'sock_inode_cache', 'filp', 'dentry'];
const ticksPerSecond = 100;

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // the process has ended since it was listed
  }
}

/** Fields of /proc/PID/stat from the third (state) on; the second may hold blanks and parentheses. */
function statFields(pid: number): string[] {
  const text = readOrEmpty(`/proc/${pid}/stat`);
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** The given processes and all their descendants. */
export function processTree(roots: readonly number[]): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^[0-9]+$/.test(name)) continue;
    const parent = Number(statFields(Number(name))[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const tree: number[] = [];
  const open = [...roots];
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    tree.push(pid);
    open.push(...(children.get(pid) ?? []));
  }
  return tree;
}

/**
 * User and system time of a process tree in microseconds (proc_pid_stat(5): utime, stime). Without
 * CONFIG_IRQ_TIME_ACCOUNTING it holds the softirq work that ran on top of these processes: what their own sends
 * caused on the receiving side, and what others' packets caused while they ran.
 */
export function cpuTimeUs(roots: readonly number[]): number {
  let ticks = 0;
  for (const pid of processTree(roots)) {
    const fields = statFields(pid);
    ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  }
  return (ticks * 1e6) / ticksPerSecond;
}

/** Everything but idle and iowait on one core, or on all of them (null), in microseconds (proc_stat(5)). */
export function busyTimeUs(core: number | null): number {
  const name = core === null ? 'cpu ' : `cpu${core} `;
  const line = readFileSync('/proc/stat', 'utf8')
    .split('\n')
    .find((text) => text.startsWith(name));
  if (line === undefined) throw new Error(`no core ${core} in /proc/stat`);
  const [user, nice, system, , , irq, softirq] = line.trim().split(/\s+/).slice(1).map(Number);
  const ticks = [user, nice, system, irq, softirq].reduce<number>((sum, value) => sum + (value ?? 0), 0);
  return (ticks * 1e6) / ticksPerSecond;
}

/** Sum of sizes, in bytes, of the kernel objects behind one TCP socket. */
function socketObjectBytes(): number {
  const sizes = socketSlabs.map((name) =>
    Number(readFileSync(`/sys/kernel/slab/${name}/object_size`, 'utf8')),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

function socketInodes(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      const target = readlinkSync(`/proc/${pid}/fd/${fd}`);
      return target.startsWith('socket:') ? [target] : [];
    });
  } catch {
    return []; // ended, or the descriptor was closed meanwhile
  }
}

/** Queued and reserved bytes of the tree's TCP sockets in the given namespaces (ss(8), skmem: r, f, w, o, bl). */
function socketQueueBytes(pids: ReadonlySet<number>, namespaces: readonly string[]): number {
  let bytes = 0;
  for (const namespace of namespaces) {
    const args = ['netns', 'exec', namespace, 'ss', '-HOtanmp'];
    const text = execFileSync('ip', args, { encoding: 'utf8', maxBuffer: 1 << 28 });
    for (const line of text.split('\n')) {
      const owner = Number(/pid=([0-9]+)/.exec(line)?.[1]);
      if (!pids.has(owner)) continue;
      const skmem = /skmem:\(([^)]*)\)/.exec(line)?.[1] ?? '';
      for (const [, key, value] of skmem.matchAll(/(?:^|,)(r|f|w|o|bl)([0-9]+)/g)) {
        if (key !== undefined) bytes += Number(value);
      }
    }
  }
  return bytes;
}

/** Memory of a process tree, in KiB. */
export interface Memory {
  /** Resident set, pages shared between its processes counted once (Pss of smaps_rollup). */
  readonly residentKib: number;
  /** Its sockets: their objects, and what their queues hold. */
  readonly socketKib: number;
  readonly sockets: number;
}

export function measureMemory(roots: readonly number[], namespaces: readonly string[]): Memory {
  const tree = processTree(roots);
  let residentKib = 0;
  const inodes = new Set<string>();
  for (const pid of tree) {
    residentKib += Number(/^Pss:\s+([0-9]+)/m.exec(readOrEmpty(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0);
    for (const inode of socketInodes(pid)) inodes.add(inode);
  }
  const queued = socketQueueBytes(new Set(tree), namespaces);
  const socketKib = Math.round((inodes.size * socketObjectBytes() + queued) / 1024);
  return { residentKib, socketKib, sockets: inodes.size };
}
