/** Reads a folder of manifests once, as it is now. */
import { join } from 'node:path';
import { readDocuments, unreadable } from './read-documents.js';
import { listFolder, readManifestFile } from './scan-folder.js';
import type { SourceChange } from './source.js';

/** What each file holds. Throws where the folder cannot be read, or holds more than is read. */
export async function readFolder(folder: string): Promise<SourceChange[]> {
  const listing = await listFolder(folder);
  if (listing.tooMuch !== null) throw new Error(`${folder} holds ${listing.tooMuch}`);
  const changes: SourceChange[] = [];
  for (const path of listing.files.keys()) {
    const file = await readManifestFile(folder, path);
    if (file !== null) changes.push(toChange(join(folder, path), file));
  }
  return changes;
}

/** What a file that was read says. */
export function toChange(
  origin: string,
  file: NonNullable<Awaited<ReturnType<typeof readManifestFile>>>,
): SourceChange {
  return file.ok ? readDocuments(origin, file.text) : unreadable(origin, 0, '', file.message, file.fix);
}
