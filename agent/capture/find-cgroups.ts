/** Where on this machine the cgroup programs attach. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The cgroup2 mount point of a mountinfo text (proc(5)), or null. Hybrid machines have it beside cgroup v1. In a
 * container the node's lies in a folder of its own; what the container sees elsewhere may be its own part alone.
 */
export function findCgroupMount(mountinfo: string, folder = '/'): string | null {
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const point = unescapePath(before.split(' ')[4] ?? '');
    const within = folder === '/' || point === folder || point.startsWith(`${folder}/`);
    if (after.startsWith('cgroup2 ') && within) return point;
  }
  return null;
}

/** Where kubelet runs, below the cgroup2 root: with systemd as most set it up, Amazon's, kind's, k3s, MicroK8s, Talos. */
const kubeletPlaces = [
  'system.slice/kubelet.service',
  'runtime.slice/kubelet.service',
  'kubelet.slice/kubelet.service',
  'system.slice/k3s.service',
  'system.slice/k3s-agent.service',
  'system.slice/snap.microk8s.daemon-kubelite.service',
  'podruntime/kubelet',
];

/** The folder of kubelet's cgroup; undefined where it is in no usual place. Throws where a named one is not there. */
export function findKubeletCgroup(wanted: string, folder?: string): string | undefined {
  if (wanted.startsWith('/')) return wanted;
  const mount = requireMount(folder);
  if (wanted === 'auto')
    return kubeletPlaces.map((name) => join(mount, name)).find((path) => existsSync(path));
  const path = join(mount, wanted);
  if (!existsSync(path)) throw new Error(`there is no cgroup ${wanted} for kubelet below ${mount}`);
  return path;
}

/** The pods' own cgroup, where kubelet made one, then the root. Throws where no cgroup2 is mounted. */
export function findCgroups(folder?: string): string[] {
  const mount = requireMount(folder);
  const pods = ['kubepods', 'kubepods.slice']
    .map((name) => join(mount, name))
    .filter((path) => existsSync(path));
  return [...pods, mount];
}

function requireMount(folder: string | undefined): string {
  const mount = findCgroupMount(readFileSync('/proc/self/mountinfo', 'utf8'), folder);
  if (mount === null) {
    throw new Error(
      'no cgroup2 is mounted, so no connection can be captured; mount one: mount -t cgroup2 none /sys/fs/cgroup/unified',
    );
  }
  return mount;
}

/** mountinfo writes space, tab, newline and backslash in octal. */
function unescapePath(path: string): string {
  return path.replaceAll(/\\([0-7]{3})/g, (_match, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
