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
  /** How pods are held by the network plugin; undefined: they are not. */
  readonly cni: CniFlags | undefined;
  /** Folder of what must outlive this process and the node's restart. */
  readonly state: string | undefined;
  /** File that keeps the node's own key and certificate; undefined: they are in memory alone. */
  readonly nodeKeyFile: string | undefined;
  readonly object: string | undefined;
  /** Take over from the capture that serves at the socket, if there is one. */
  readonly takeOver: boolean;
  /** Wait until the capture that serves at the socket ends, then begin. */
  readonly standBy: boolean;
  /** A file that is there while this process serves. */
  readonly readyFile: string | undefined;
}

/** Folders as this process sees them; what the plugin reads has the node's own paths, which must be the same. */
export interface CniFlags {
  readonly socket: string;
  readonly configFolder: string;
  readonly programFolder: string;
  readonly resultFolder: string | undefined;
  readonly exemptNamespaces: readonly string[];
  /** How long a pod of the mesh waits for capture. */
  readonly waitMs: number;
}

export const usage = `usage: capture --socket PATH --proxy-uid UID [--pin-folder PATH] [--cgroup PATH]... (the pods' own first, the root last)
  [--netns-folder PATH]... [--grace-ms N] [--kubelet-cgroup PATH|auto] [--object PATH] [--take-over|--stand-by]
  [--cgroup-folder PATH] [--nri-socket PATH] [--state PATH] [--node-key-file PATH] [--ready-file PATH]
  [--cni-socket PATH --cni-config-folder PATH --cni-program-folder PATH [--cni-result-folder PATH]
  [--cni-exempt NAMESPACE]... [--cni-wait-ms N]] (with --state)`;

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
      'cni-socket': { type: 'string' },
      'cni-config-folder': { type: 'string' },
      'cni-program-folder': { type: 'string' },
      'cni-result-folder': { type: 'string' },
      'cni-exempt': { type: 'string', multiple: true, default: [] },
      'cni-wait-ms': { type: 'string', default: '20000' },
      object: { type: 'string' },
      'take-over': { type: 'boolean', default: false },
      'stand-by': { type: 'boolean', default: false },
      'ready-file': { type: 'string' },
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
    takeOver: values['take-over'] || values['stand-by'],
    standBy: values['stand-by'],
    readyFile: optionalPath('--ready-file', values['ready-file']),
    cni: readCni(values),
  };
}

interface CniValues {
  readonly state?: string | undefined;
  readonly 'cni-socket'?: string | undefined;
  readonly 'cni-config-folder'?: string | undefined;
  readonly 'cni-program-folder'?: string | undefined;
  readonly 'cni-result-folder'?: string | undefined;
  readonly 'cni-exempt': readonly string[];
  readonly 'cni-wait-ms': string;
}

function readCni(values: CniValues): CniFlags | undefined {
  if (values['cni-socket'] === undefined) return undefined;
  // The plugin reads the list of namespaces there while capture is away.
  requirePath('--state', values.state);
  return {
    socket: requirePath('--cni-socket', values['cni-socket']),
    configFolder: requirePath('--cni-config-folder', values['cni-config-folder']),
    programFolder: requirePath('--cni-program-folder', values['cni-program-folder']),
    resultFolder: optionalPath('--cni-result-folder', values['cni-result-folder']),
    exemptNamespaces: values['cni-exempt'],
    waitMs: requireNumber('--cni-wait-ms', values['cni-wait-ms'], 110_000),
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
