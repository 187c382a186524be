/** Capture's command line. */
import { parseArgs } from 'node:util';

export interface CaptureFlags {
  /** The Unix socket that the proxy connects to. */
  readonly socket: string;
  readonly pinFolder: string;
  /** Empty: find them. */
  readonly cgroups: readonly string[];
  readonly netnsFolders: readonly string[];
  readonly proxyUid: number;
  /** How long no proxy may be there before pods that ask for it fail open. */
  readonly graceMs: number;
  /** Relative: below the cgroup2 root. `auto`: the usual places are tried. */
  readonly kubeletCgroup: string | undefined;
  /** Where the node's cgroup file systems are mounted; undefined: wherever this process sees them. */
  readonly cgroupFolder: string | undefined;
  /** The container runtime's NRI socket; undefined: no runtime tells of pods. */
  readonly nriSocket: string | undefined;
  /** Folder of what must outlive this process and the node's restart. */
  readonly state: string | undefined;
  /** File that keeps the node's own key and certificate; undefined: they are in memory alone. */
  readonly nodeKeyFile: string | undefined;
  readonly object: string | undefined;
  /** Ask the capture that holds the socket for its namespaces and listeners. */
  readonly takeOver: boolean;
}

export const usage = `usage: capture --socket PATH --proxy-uid UID [--pin-folder PATH] [--cgroup PATH]... (the pods' own first, the root last)
  [--netns-folder PATH]... [--grace-ms N] [--kubelet-cgroup PATH|auto] [--object PATH] [--take-over]
  [--cgroup-folder PATH] [--nri-socket PATH] [--state PATH] [--node-key-file PATH]`;

/** Throws Error with one sentence where an argument is missing, unknown or out of range. */
export function parseFlags(argv: readonly string[]): CaptureFlags {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      socket: { type: 'string' },
      'pin-folder': { type: 'string', default: '/sys/fs/bpf/weft' },
      cgroup: { type: 'string', multiple: true, default: [] },
      'netns-folder': { type: 'string', multiple: true, default: ['/run/netns'] },
      'proxy-uid': { type: 'string' },
      'grace-ms': { type: 'string', default: '5000' },
      'kubelet-cgroup': { type: 'string' },
      'cgroup-folder': { type: 'string' },
      'nri-socket': { type: 'string' },
      state: { type: 'string' },
      'node-key-file': { type: 'string' },
      object: { type: 'string' },
      'take-over': { type: 'boolean', default: false },
    },
  });
  return {
    socket: requirePath('--socket', values.socket),
    pinFolder: requirePath('--pin-folder', values['pin-folder']),
    cgroups: values.cgroup.map((path) => requirePath('--cgroup', path)),
    netnsFolders: values['netns-folder'].map((path) => requirePath('--netns-folder', path)),
    proxyUid: requireNumber('--proxy-uid', values['proxy-uid'], 0xffff_fffe),
    graceMs: requireNumber('--grace-ms', values['grace-ms'], 3_600_000),
    kubeletCgroup: values['kubelet-cgroup'],
    cgroupFolder: optionalPath('--cgroup-folder', values['cgroup-folder']),
    nriSocket: optionalPath('--nri-socket', values['nri-socket']),
    state: optionalPath('--state', values.state),
    nodeKeyFile: optionalPath('--node-key-file', values['node-key-file']),
    object: optionalPath('--object', values.object),
    takeOver: values['take-over'],
  };
}

function requirePath(flag: string, value: string | undefined): string {
  if (value === undefined || !value.startsWith('/')) throw new Error(`${flag} must be an absolute path`);
  return value;
}

function optionalPath(flag: string, value: string | undefined): string | undefined {
  return value === undefined ? undefined : requirePath(flag, value);
}

function requireNumber(flag: string, value: string | undefined, most: number): number {
  if (value === undefined || !/^[0-9]{1,10}$/.test(value) || Number(value) > most) {
    throw new Error(`${flag} must be a whole number from 0 to ${most}`);
  }
  return Number(value);
}
