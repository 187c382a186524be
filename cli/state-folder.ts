/**
 * Where a running weft keeps its sockets and what it must remember. Everything but the trust domain's id and the
 * authority's root can be made anew.
 */
import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';

/** Without --state. */
export const defaultState = '/run/weft';

/** Paths below one state folder. */
export interface StatePaths {
  readonly root: string;
  /** Random, for ever: the trust domain is made of it where no Mesh gives one. */
  readonly id: string;
  /** Process id and start time of the `weft run` that owns the folder. */
  readonly owner: string;
  readonly controllerFolder: string;
  /** gRPC, for the proxy. */
  readonly controllerSocket: string;
  /** HTTP, for people. */
  readonly controllerAdmin: string;
  /** The certificate authority's key and roots; of the controller's user alone. */
  readonly authorityFolder: string;
  /** Hashes of the tokens that nodes may join with. */
  readonly tokens: string;
  /** What a node joins with: copies that its proxy can read. Only where the controller is on another machine. */
  readonly joinFolder: string;
  readonly captureFolder: string;
  readonly captureSocket: string;
  readonly proxyFolder: string;
  readonly proxyAdmin: string;
  /** Link to {@link StatePaths.proxyAdmin}, which lies in a folder of the proxy's user. */
  readonly adminLink: string;
  readonly accessLog: string;
  /** Mount points for code that the processes' users could not reach otherwise. */
  readonly mountFolder: string;
  /** Pins of kernel objects: a folder of its own for each state folder, so that two never mix. */
  readonly pinFolder: string;
}

/** The paths of a state folder; the same for every command that is given the same folder. */
export function statePaths(state: string | undefined, pinFolder?: string): StatePaths {
  const root = resolve(state ?? defaultState);
  const suffix = createHash('sha256').update(root).digest('hex').slice(0, 8);
  const controllerFolder = join(root, 'controller');
  const proxyFolder = join(root, 'proxy');
  return {
    root,
    id: join(root, 'id'),
    owner: join(root, 'owner'),
    controllerFolder,
    controllerSocket: join(controllerFolder, 'agents.sock'),
    controllerAdmin: join(controllerFolder, 'admin.sock'),
    authorityFolder: join(controllerFolder, 'authority'),
    tokens: join(controllerFolder, 'tokens.json'),
    joinFolder: join(root, 'join'),
    captureFolder: join(root, 'capture'),
    captureSocket: join(root, 'capture', 'capture.sock'),
    proxyFolder,
    proxyAdmin: join(proxyFolder, 'admin.sock'),
    adminLink: join(root, 'admin.sock'),
    accessLog: join(root, 'access.log'),
    mountFolder: join(root, 'mounts'),
    pinFolder: pinFolder ?? `/sys/fs/bpf/weft${root === defaultState ? '' : `-${suffix}`}`,
  };
}

/** The longest path that a Unix socket's address holds (unix(7), without the final zero). */
export const maxSocketPath = 107;
