// Copies what runs out of what was built: no test, no type, no source map.
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const root = join(import.meta.dirname, '../..');

/** A compiled room. */
export function copyRoom(room, target) {
  const from = join(root, 'dist', room);
  if (!existsSync(from)) throw new Error(`${from} is missing: run "make build" first`);
  cpSync(from, join(target, 'dist', room), {
    recursive: true,
    filter: (path) =>
      !/(\.test\.js|\.d\.ts|\.map|\.tsbuildinfo)$/.test(path) &&
      !/\/test-[^/]*\.js$|under-test\.js$/.test(path) &&
      hasSource(path),
  });
}

/** False for what was compiled from a file that is no more: an older build left it behind. */
function hasSource(path) {
  return (
    !path.endsWith('.js') || existsSync(join(root, relative(join(root, 'dist'), path)).replace(/js$/, 'ts'))
  );
}

/** A file, under its own path. */
export function copyFile(file, target) {
  if (!existsSync(join(root, file))) throw new Error(`${file} is missing: run "make build" first`);
  mkdirSync(dirname(join(target, file)), { recursive: true });
  cpSync(join(root, file), join(target, file));
}

/** A package, without nested packages (which are packages of their own), types, maps and documents. */
export function copyModule(path, target) {
  const from = join(root, path);
  if (!existsSync(from)) throw new Error(`${path} is missing: run "scripts/setup build" first`);
  cpSync(from, join(target, path), {
    recursive: true,
    filter: (file) =>
      !file.slice(from.length).includes('/node_modules') &&
      !/(\.d\.[cm]?ts|\.ts|\.map|\.md|\.markdown)$/.test(file),
  });
}
