/**
 * Makes the mesh's root once: a Secret that controllers mount, and a ConfigMap with the roots that nodes check
 * controllers by. What is there already stays, so that an upgrade keeps every identity.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeAuthority } from '../authority/authority-files.js';
import type { HookApi } from './hook-api.js';

export interface AuthorityObjects {
  readonly namespace: string;
  readonly secret: string;
  readonly roots: string;
  readonly trustDomain: string;
  /** The Secret is the user's: it must be there. */
  readonly given: boolean;
}

const files = ['tls.key', 'tls.crt', 'ca.crt'] as const;
type Files = Readonly<Record<(typeof files)[number], string>>;

/** Rejects where the Secret is not whole, or the API refuses. */
export async function createAuthority(api: HookApi, objects: AuthorityObjects, nowMs: number): Promise<void> {
  const { namespace, roots } = objects;
  const { 'ca.crt': root } = await ensureSecret(api, objects, nowMs);
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const data = { 'ca.crt': root };
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: roots }, data };
  if (!(await api.create(path, body))) await api.patch(`${path}/${roots}`, { data });
}

async function ensureSecret(api: HookApi, objects: AuthorityObjects, nowMs: number): Promise<Files> {
  const { namespace, secret, trustDomain, given } = objects;
  const path = `/api/v1/namespaces/${namespace}/secrets`;
  const held = await readSecret(api, `${path}/${secret}`);
  if (held !== null) return held;
  if (given)
    throw new Error(
      `there is no Secret ${namespace}/${secret}; make it, or leave authority.existingSecret empty`,
    );
  const made = await makeFiles(trustDomain, nowMs);
  const data = Object.fromEntries(files.map((name) => [name, Buffer.from(made[name]).toString('base64')]));
  const body = {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: { name: secret },
    data,
  };
  if (await api.create(path, body)) return made;
  const other = await readSecret(api, `${path}/${secret}`);
  if (other === null) throw new Error(`Secret ${namespace}/${secret} comes and goes; who else makes it?`);
  return other;
}

async function readSecret(api: HookApi, path: string): Promise<Files | null> {
  const found = await api.find(path);
  if (found === null) return null;
  const data = (found.data ?? {}) as Record<string, unknown>;
  const missing = files.filter((name) => typeof data[name] !== 'string' || data[name] === '');
  if (missing.length > 0) throw new Error(`${path} lacks ${missing.join(', ')}`);
  const texts = files.map((name) => [name, Buffer.from(String(data[name]), 'base64').toString('utf8')]);
  return Object.fromEntries(texts) as Files;
}

async function makeFiles(trustDomain: string, nowMs: number): Promise<Files> {
  const work = await mkdtemp(join(tmpdir(), 'weft-authority-'));
  try {
    const folder = join(work, 'authority');
    await makeAuthority(folder, trustDomain, nowMs);
    const texts = files.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const);
    return Object.fromEntries(await Promise.all(texts)) as Files;
  } finally {
    await rm(work, { recursive: true });
  }
}
