/** Where the contract's .proto files are. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Full path of a file of weft/v1. They are not compiled: they stay in proto/, beside the sources, also where dist/ runs.
 * Throws where it is missing: the installation is broken.
 */
export function findProtoFile(name: string): string {
  const places = [`./weft/v1/${name}`, `../../proto/weft/v1/${name}`].map((place) =>
    fileURLToPath(new URL(place, import.meta.url)),
  );
  const file = places.find((place) => existsSync(place));
  if (file === undefined) {
    throw new Error(`weft/v1/${name} is missing; looked for ${places.join(' and ')}; reinstall weft`);
  }
  return file;
}
