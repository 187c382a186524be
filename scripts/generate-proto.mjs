// Writes the TypeScript message types of proto/weft/v1/*.proto into proto/generated, by proto-loader-gen-types
// with the options that proto/load-*-service.ts load the files with.
// With --check it writes nothing and exits 1 if a generated file is missing, out of date or left over.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const target = join(root, 'proto/generated');

/** The files below a directory, by relative path. */
function readTree(directory) {
  try {
    const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    return new Map(files.map((file) => [file.slice(directory.length + 1), readFileSync(file, 'utf8')]));
  } catch (error) {
    if (error.code === 'ENOENT') return new Map();
    throw error;
  }
}

/** Runs the generator; the place of the checkout is no part of its output. */
function generate() {
  const scratch = mkdtempSync(join(tmpdir(), 'weft-proto-'));
  try {
    const generator = join(root, 'node_modules/@grpc/proto-loader/build/bin/proto-loader-gen-types.js');
    const options = ['--longs=Number', '--enums=String', '--defaults', '--oneofs', '--includeComments'];
    const run = spawnSync(
      process.execPath,
      [
        generator,
        'weft/v1/config.proto',
        'weft/v1/identity.proto',
        'weft/v1/replica.proto',
        ...options,
        '--grpcLib=@grpc/grpc-js',
        '--importFileExtension=.js',
      ].concat([`--outDir=${scratch}`, '--includeDirs', join(root, 'proto')]),
      { encoding: 'utf8', cwd: root },
    );
    if (run.status !== 0) throw new Error(`proto-loader-gen-types failed: ${run.stderr}`);
    const noteFor = (path, text) => {
      const origin = /^\/\/ Original file: .*?(\w+)\.proto$/m.exec(text)?.[1];
      const name = origin ?? path.replace(/\.ts$/, '');
      return `// Generated from proto/weft/v1/${name}.proto by scripts/generate-proto.mjs; do not edit.`;
    };
    return new Map(
      [...readTree(scratch)].map(([path, text]) => [
        path,
        text.replace(/^(\/\/ Original file: .*)?\n?/, `${noteFor(path, text)}\n`),
      ]),
    );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const files = generate();
const present = readTree(target);
const stale = [
  ...[...files].filter(([path, text]) => present.get(path) !== text).map(([path]) => path),
  ...[...present.keys()].filter((path) => !files.has(path)),
];
if (process.argv.includes('--check')) {
  for (const path of stale) {
    console.error(`proto/generated/${path} is out of date: run node scripts/generate-proto.mjs`);
  }
  process.exit(stale.length === 0 ? 0 : 1);
}
rmSync(target, { recursive: true, force: true });
for (const [path, text] of files) {
  mkdirSync(dirname(join(target, path)), { recursive: true });
  writeFileSync(join(target, path), text);
}
