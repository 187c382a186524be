/** Makes the state folder: right owners and modes, one owner at a time, an id for ever. */
import { randomBytes } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { maxSocketPath, type StatePaths } from '../state-folder.js';
import { CommandError } from '../usage-error.js';
import type { UserIds } from './find-user.js';
import type { Mount } from './plan-mounts.js';

export interface StateUsers {
  /** Null: the controller is on another machine. */
  readonly controller: UserIds | null;
  readonly proxy: UserIds;
}

/** What a node joins with, where its proxy can read it. */
export interface JoinFiles {
  readonly token: string;
  readonly ca: string;
}

/**
 * Copies the files, which the proxy`s user need not be able to read. Throws CommandError where there is none.
 *
 * @param returning the node has kept its key, so its token may be gone
 */
export function prepareJoining(
  paths: StatePaths,
  given: JoinFiles,
  proxy: UserIds,
  returning: boolean,
): JoinFiles {
  // The folder stays root's: in one of the proxy's, what root writes could be led elsewhere.
  makeFolder(paths.joinFolder, { uid: 0, gid: 0 }, 0o711);
  const copy = (source: string, name: string, optional: boolean) => {
    const target = join(paths.joinFolder, name);
    rmSync(target, { force: true });
    if (optional && !existsSync(source)) return target;
    let content: Buffer;
    try {
      content = readFileSync(source);
    } catch (cause) {
      throw new CommandError(`${source} cannot be read`, { cause });
    }
    writeFileSync(target, content, { mode: 0o600 });
    chownSync(target, proxy.uid, proxy.gid);
    return target;
  };
  return { token: copy(given.token, 'token', returning), ca: copy(given.ca, 'ca.crt', false) };
}

/** The folder of the file that keeps the node's key. One that exists stays as it is: capture refuses an unsafe one. */
export function prepareKeyFolder(nodeKeyFile: string): void {
  mkdirSync(dirname(nodeKeyFile), { recursive: true, mode: 0o700 });
}

/** A file of access logs that the proxy can append to; one that exists keeps its owner. */
export function prepareAccessLog(path: string, proxy: UserIds): void {
  if (!existsSync(path)) makeFile(path, proxy);
}

/** Returns the folder's id. Throws CommandError where another weft runs there, or the folder cannot be used. */
export function prepareState(paths: StatePaths, users: StateUsers): string {
  if (paths.controllerSocket.length > maxSocketPath) {
    throw new CommandError(`${paths.root} is too long for Unix sockets; name a shorter folder by --state`);
  }
  mkdirSync(paths.root, { recursive: true });
  refuseForeign(paths.root);
  chmodSync(paths.root, 0o711);
  claimOwner(paths);
  if (users.controller !== null) makeFolder(paths.controllerFolder, users.controller, 0o700);
  makeFolder(paths.proxyFolder, users.proxy, 0o700);
  // Anybody may reach the socket's name; capture itself checks who connects.
  makeFolder(paths.captureFolder, { uid: 0, gid: 0 }, 0o711);
  makeFile(paths.accessLog, users.proxy);
  rmSync(paths.adminLink, { force: true });
  symlinkSync(paths.proxyAdmin, paths.adminLink);
  // The proxy connects to the controller's socket: where it is another user, its group may pass, and by the
  // set-group-ID bit the socket belongs to that group.
  if (users.controller !== null && users.controller.uid !== users.proxy.uid) {
    makeFolder(paths.controllerFolder, { uid: users.controller.uid, gid: users.proxy.gid }, 0o2710);
  }
  return readId(paths.id);
}

/** Makes what each mount covers: a folder for a folder, an empty file for a file. */
export function prepareMountPoints(folder: string, mounts: readonly Mount[]): void {
  makeFolder(folder, { uid: 0, gid: 0 }, 0o711);
  for (const { source, target } of mounts) {
    if (statSync(source).isDirectory()) makeFolder(target, { uid: 0, gid: 0 }, 0o711);
    else makeFile(target, { uid: 0, gid: 0 });
  }
}

/** The `weft run` that owns a state folder; null where none lives. */
export function livingOwner(paths: StatePaths): number | null {
  const text = readIfThere(paths.owner);
  const [pid, started] = text?.trim().split(' ') ?? [];
  return pid !== undefined && startTime(Number(pid)) === started ? Number(pid) : null;
}

/** In clock ticks since boot (proc(5), field 22 of stat): a process id may be used again, not at the same time. */
export function startTime(pid: number): string | undefined {
  const stat = readIfThere(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

function claimOwner(paths: StatePaths): void {
  const owner = livingOwner(paths);
  if (owner !== null && owner !== process.pid) {
    const fix = 'stop it, or name another folder by --state';
    throw new CommandError(`weft already runs over ${paths.root} as process ${owner}; ${fix}`);
  }
  writeFileSync(paths.owner, `${process.pid} ${startTime(process.pid)}\n`);
}

/** A folder that somebody else may write could be made to point anywhere. */
function refuseForeign(root: string): void {
  const found = lstatSync(root);
  if (!found.isDirectory() || found.uid !== 0 || (found.mode & 0o022) !== 0) {
    throw new CommandError(`${root} must be a folder of root that nobody else may write; chown and chmod it`);
  }
}

function makeFolder(path: string, { uid, gid }: UserIds, mode: number): void {
  mkdirSync(path, { recursive: true });
  if (!lstatSync(path).isDirectory()) throw new CommandError(`${path} is no folder; remove it`);
  chownSync(path, uid, gid);
  chmodSync(path, mode);
}

function makeFile(path: string, { uid, gid }: UserIds): void {
  closeSync(openSync(path, 'a', 0o640));
  if (!lstatSync(path).isFile()) throw new CommandError(`${path} is no plain file; remove it`);
  chownSync(path, uid, gid);
}

function readId(path: string): string {
  const known = readIfThere(path)?.trim();
  if (known !== undefined && /^[0-9a-f]{16}$/.test(known)) return known;
  const id = randomBytes(8).toString('hex');
  writeFileSync(path, `${id}\n`, { mode: 0o644 });
  return id;
}

function readIfThere(path: string): string | undefined {
  try {
    accessSync(path);
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
