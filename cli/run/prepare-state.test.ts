import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type StatePaths, statePaths } from '../state-folder.js';
import { livingOwner, prepareAccessLog, prepareJoining, prepareState, startTime } from './prepare-state.js';

const nobody = { uid: 65534, gid: 65534 };
const daemon = { uid: 1, gid: 1 };
let root: string;
let paths: StatePaths;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'weft-st-'));
  paths = statePaths(join(root, 'state'));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

/** `uid gid mode` of a path. */
function owner(path: string): string {
  const { uid, gid, mode } = statSync(path);
  return `${uid} ${gid} ${(mode & 0o7777).toString(8)}`;
}

test('each part gets a folder of its own, and the id stays for ever', () => {
  const id = prepareState(paths, { controller: nobody, proxy: nobody });
  expect(id).toMatch(/^[0-9a-f]{16}$/);
  expect(owner(paths.root)).toBe('0 0 711');
  expect(owner(paths.controllerFolder)).toBe('65534 65534 700');
  expect(owner(paths.proxyFolder)).toBe('65534 65534 700');
  expect(owner(paths.captureFolder)).toBe('0 0 711');
  expect(owner(paths.accessLog)).toBe('65534 65534 640');
  expect(readlinkSync(paths.adminLink)).toBe(paths.proxyAdmin);
  expect(prepareState(paths, { controller: nobody, proxy: nobody })).toBe(id);
  expect(prepareState(statePaths(join(root, 'other')), { controller: nobody, proxy: nobody })).not.toBe(id);
});

test('a controller of another user opens its folder to the proxy’s group alone', () => {
  prepareState(paths, { controller: daemon, proxy: nobody });
  expect(owner(paths.controllerFolder)).toBe('1 65534 2710');
});

test('a node joins with copies that its proxy alone can read, in a folder that it cannot write', () => {
  const given = { token: join(root, 'given'), ca: join(root, 'roots') };
  writeFileSync(given.token, 'weft.secret', { mode: 0o600 });
  writeFileSync(given.ca, 'roots');
  prepareState(paths, { controller: null, proxy: nobody });
  expect(existsSync(paths.controllerFolder)).toBe(false);
  const copies = prepareJoining(paths, given, nobody, false);
  expect(owner(paths.joinFolder)).toBe('0 0 711');
  expect(owner(copies.token)).toBe('65534 65534 600');
  expect(readFileSync(copies.token, 'utf8')).toBe('weft.secret');
  const absent = { ...given, token: join(root, 'none') };
  expect(() => prepareJoining(paths, absent, nobody, false)).toThrow(/none cannot be read/);
  const returning = prepareJoining(paths, absent, nobody, true);
  expect([existsSync(returning.token), existsSync(returning.ca)]).toEqual([false, true]);
});

test('a folder belongs to one living weft at a time', () => {
  prepareState(paths, { controller: nobody, proxy: nobody });
  expect(livingOwner(paths)).toBe(process.pid);
  writeFileSync(paths.owner, `${process.ppid} ${startTime(process.ppid)}\n`);
  expect(() => prepareState(paths, { controller: nobody, proxy: nobody })).toThrow(
    `weft already runs over ${paths.root} as process ${process.ppid}; stop it, or name another folder by --state`,
  );
  // A process id that is used again by somebody else owns nothing.
  writeFileSync(paths.owner, `${process.ppid} 1\n`);
  expect(livingOwner(paths)).toBeNull();
  prepareState(paths, { controller: nobody, proxy: nobody });
  expect(readFileSync(paths.owner, 'utf8')).toBe(`${process.pid} ${startTime(process.pid)}\n`);
});

test('a folder that others may write, or that leads elsewhere, is refused', () => {
  prepareState(paths, { controller: nobody, proxy: nobody });
  chmodSync(paths.root, 0o777);
  expect(() => prepareState(paths, { controller: nobody, proxy: nobody })).toThrow(/nobody else may write/);
  chmodSync(paths.root, 0o711);
  rmSync(paths.proxyFolder, { recursive: true });
  symlinkSync('/etc', paths.proxyFolder);
  expect(() => prepareState(paths, { controller: nobody, proxy: nobody })).toThrow(/is no folder; remove it/);
  expect(owner('/etc')).toMatch(/^0 0 /);
});

test('an access log that somebody keeps already stays his', () => {
  const file = join(root, 'access.log');
  prepareAccessLog(file, nobody);
  expect(owner(file)).toBe('65534 65534 640');
  chmodSync(file, 0o600);
  prepareAccessLog(file, daemon);
  expect(owner(file)).toBe('65534 65534 600');
});

test('a path that is too long for a Unix socket is refused before anything is made', () => {
  const long = statePaths(join(root, 'x'.repeat(100)));
  expect(() => prepareState(long, { controller: nobody, proxy: nobody })).toThrow(
    /too long for Unix sockets/,
  );
});
