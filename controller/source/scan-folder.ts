/** Looks at a folder of manifests: which files there are, and what one of them holds. */
import { isUtf8 } from 'node:buffer';
import type { BigIntStats } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { maxFileBytes } from './read-documents.js';
import type { Fingerprint } from './settle-files.js';

export const maxFiles = 10_000;
const maxFolders = 500;
const maxDepth = 8;

/** What was found, by path below the folder. */
export interface FolderListing {
  readonly files: ReadonlyMap<string, Fingerprint>;
  /** Folders to watch, the root's included, by full path. */
  readonly folders: readonly string[];
  /** Set where the folder holds more than is read; then nothing of this listing may be used. */
  readonly tooMuch: string | null;
}

/** Manifests end in .yaml, .yml or .json; hidden files and folders, and editors' own, are left alone. */
export function isManifestName(name: string): boolean {
  return /\.(ya?ml|json)$/.test(name) && !/^[.#~]/.test(name);
}

/** Lists a folder and its subfolders. Throws where the folder itself cannot be read. */
export async function listFolder(root: string): Promise<FolderListing> {
  const files = new Map<string, Fingerprint>();
  const folders = [root];
  const queue = [{ folder: root, depth: 0 }];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { folder, depth } = next;
    const entries = await readEntries(folder, folder === root);
    for (const name of entries) {
      if (name.startsWith('.')) continue;
      const path = join(folder, name);
      const found = await stat(path, { bigint: true }).catch(ignoreMissing);
      if (found?.isDirectory() === true && depth < maxDepth) {
        folders.push(path);
        queue.push({ folder: path, depth: depth + 1 });
      } else if (found?.isFile() === true && isManifestName(name)) {
        files.set(relative(root, path), fingerprintOf(found));
      }
    }
    if (files.size > maxFiles || folders.length > maxFolders) {
      return { files, folders: [root], tooMuch: `more than ${maxFiles} files or ${maxFolders} folders` };
    }
  }
  return { files, folders, tooMuch: null };
}

async function readEntries(folder: string, required: boolean): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (required) throw new Error(`cannot read the folder ${folder}`, { cause: error });
    ignoreMissing(error);
    return [];
  }
}

/** A file's text with the fingerprint it had after reading; null where it vanished meanwhile. */
export type FileText =
  | { readonly ok: true; readonly text: string; readonly fingerprint: Fingerprint }
  | { readonly ok: false; readonly message: string; readonly fix: string; readonly fingerprint: Fingerprint };

/** Reads one file within bounds. Throws only on what no user can cause by a manifest (an I/O error of the disk). */
export async function readManifestFile(root: string, path: string): Promise<FileText | null> {
  const found = await stat(join(root, path), { bigint: true }).catch(ignoreMissing);
  if (found === undefined) return null;
  const refuse = (message: string, fix: string) =>
    ({ ok: false, message, fix, fingerprint: fingerprintOf(found) }) as const;
  if (Number(found.size) > maxFileBytes)
    return refuse(`is larger than ${maxFileBytes} bytes`, 'split the file');
  const handle = await open(join(root, path), 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EACCES') return 'denied' as const;
    return ignoreMissing(error);
  });
  if (handle === 'denied') return refuse('cannot be read: permission denied', 'let the controller read it');
  if (handle === undefined) return null;
  try {
    const bytes = await handle.readFile();
    const after = await handle.stat({ bigint: true });
    const fingerprint = fingerprintOf(after);
    if (bytes.length > maxFileBytes) return refuse('grew while it was read', 'split the file');
    if (!isUtf8(bytes)) return { ok: false, message: 'is not UTF-8', fix: 'save it as UTF-8', fingerprint };
    return { ok: true, text: bytes.toString('utf8'), fingerprint };
  } finally {
    await handle.close();
  }
}

function fingerprintOf(found: BigIntStats): Fingerprint {
  return `${found.dev}:${found.ino}:${found.size}:${found.mtimeNs}:${found.ctimeNs}`;
}

/** A file or folder that vanished between two steps is no error: the next look sees it gone. */
function ignoreMissing(error: unknown): undefined {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP' || code === 'EACCES') return undefined;
  throw error;
}
