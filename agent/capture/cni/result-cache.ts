/**
 * What libcni keeps of each pod's network (`/var/lib/cni/results`, cniCacheV1; written by containerd and CRI-O): whose
 * a network namespace is, where no runtime tells it over NRI. The folder is root's: no pod can write into it.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseAddress } from '../../../model/address.js';
import type { Sandbox } from '../runtime/sandbox.js';

interface Kept {
  readonly sandbox: Sandbox;
  readonly writtenMs: number;
}

export class ResultCache {
  readonly #folder: string;
  /** By file name; null: no pod's. A file is written once. */
  readonly #files = new Map<string, Kept | null>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The pod's newest sandbox, without labels; undefined where nothing is kept of it. */
  find(uid: string): Sandbox | undefined {
    this.#read();
    let newest: Kept | undefined;
    for (const kept of this.#files.values()) {
      if (kept?.sandbox.uid !== uid) continue;
      if (newest === undefined || kept.writtenMs > newest.writtenMs) newest = kept;
    }
    return newest?.sandbox;
  }

  #read(): void {
    const names = new Set(listFolder(this.#folder));
    for (const name of this.#files.keys()) if (!names.has(name)) this.#files.delete(name);
    for (const name of names) {
      if (this.#files.has(name)) continue;
      const kept = readFile(join(this.#folder, name));
      if (kept !== undefined) this.#files.set(name, kept);
    }
  }
}

/** Undefined: look again, it may be half written. */
function readFile(path: string): Kept | null | undefined {
  try {
    const { mtimeMs } = statSync(path);
    const sandbox = readCachedResult(readFileSync(path, 'utf8'));
    return sandbox === null ? null : { sandbox, writtenMs: mtimeMs };
  } catch {
    return undefined;
  }
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Null where the file is no pod's network (the loopback's, say). Throws SyntaxError where it is no JSON. */
export function readCachedResult(text: string): Sandbox | null {
  const value = JSON.parse(text) as Record<string, unknown> | null;
  if (value?.kind !== 'cniCacheV1' || value.ifName === 'lo') return null;
  const named = new Map(pairsOf(value.cniArgs));
  const { containerId, netns } = value;
  const uid = named.get('K8S_POD_UID');
  const namespace = named.get('K8S_POD_NAMESPACE');
  if (typeof containerId !== 'string' || typeof netns !== 'string' || !uid || !namespace) return null;
  const ips = (value.result as { ips?: unknown } | undefined)?.ips;
  const addresses = (Array.isArray(ips) ? ips : []).flatMap((ip: { address?: unknown }) =>
    typeof ip.address === 'string' ? (parseAddress(ip.address.split('/')[0] as string) ?? []) : [],
  );
  return {
    id: containerId,
    uid,
    namespace,
    name: named.get('K8S_POD_NAME') ?? '',
    labels: {},
    netns: basename(netns),
    addresses,
  };
}

function pairsOf(value: unknown): [string, string][] {
  const pairs = Array.isArray(value) ? value : [];
  return pairs.filter(
    (pair): pair is [string, string] => Array.isArray(pair) && pair.length === 2 && pair.every(isText),
  );
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}
