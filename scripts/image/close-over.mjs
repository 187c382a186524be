// Which packages some packages need, by the lock file.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

/** Folders below the root of the named packages and of all that they depend on, in order. */
export function closeOver(names) {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const found = new Set();
  const visit = (path) => {
    if (found.has(path)) return;
    found.add(path);
    for (const name of Object.keys(packages[path].dependencies ?? {}))
      visit(resolveFrom(packages, path, name));
  };
  for (const name of names) visit(resolveFrom(packages, '', name));
  return [...found].sort();
}

/** As Node.js does it: the nearest node_modules that has it. */
function resolveFrom(packages, from, name) {
  for (let folder = from; ; folder = folder.replace(/(^|\/)node_modules\/(@[^/]+\/)?[^/]+$/, '')) {
    const path = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    if (packages[path] !== undefined) return path;
    if (folder === '') throw new Error(`the lock file has no ${name} for ${from}: run npm install`);
  }
}
