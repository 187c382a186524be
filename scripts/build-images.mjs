// Makes weft's image from what "make build" built: one image for controller, capture and proxy (deploy/chart names the
// command of each). The same root file system as deploy/images/Containerfile.
// usage: scripts/build-images [--name HOST/PATH:TAG] [--output FILE]    an OCI archive (default build/images/weft.tar)
//        scripts/build-images --stage DIR                               only the root file system
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { stageRoot, unprivilegedUser } from './image/stage-root.mjs';
import { writeArchive } from './image/write-archive.mjs';

const root = join(import.meta.dirname, '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const { values } = parseArgs({
  options: {
    name: { type: 'string', default: `localhost/weft:${version}` },
    output: { type: 'string', default: join(root, 'build/images/weft.tar') },
    stage: { type: 'string' },
  },
});
if (!/^[a-z0-9.-]+(:\d+)?(\/[a-z0-9._-]+)+:[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(values.name)) {
  process.stderr.write(
    `build-images: --name ${values.name} must be HOST/PATH:TAG, such as localhost/weft:1\n`,
  );
  process.exit(2);
}

const { base, app } = stageRoot(join(root, 'build/images/root'));
if (values.stage !== undefined) {
  const target = resolve(values.stage);
  rmSync(target, { recursive: true, force: true });
  for (const layer of [base, app]) cpSync(layer, target, { recursive: true, verbatimSymlinks: true });
} else {
  const config = {
    User: `${unprivilegedUser}:${unprivilegedUser}`,
    Env: ['PATH=/usr/local/bin', 'NODE_ENV=production'],
    WorkingDir: '/weft',
    Entrypoint: ['node'],
    Labels: {
      'org.opencontainers.image.title': 'weft',
      'org.opencontainers.image.version': version,
      'org.opencontainers.image.licenses': 'Apache-2.0',
    },
  };
  const output = resolve(values.output);
  const digest = await writeArchive({ name: values.name, layers: [base, app], config }, output);
  process.stdout.write(`${JSON.stringify({ image: values.name, digest, archive: output })}\n`);
}
