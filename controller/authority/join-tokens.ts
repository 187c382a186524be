/**
 * Join tokens: each is good once, for one node, for a while. Only their hashes are kept, in one file; a token that was
 * used or has ended is remembered for a day, so that its second use is called by its name.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { isNodeName } from '../../model/system-identity.js';
import type { NodeProof } from './authenticate-node.js';
import type { NodeAuthenticator } from './node-authenticator.js';
import { refuse } from './refusal.js';

/** What is kept of a token. Times are milliseconds since the epoch. */
interface KeptToken {
  /** Public part of the token: tells which one is meant. */
  readonly id: string;
  readonly node: string;
  /** SHA-256 of the secret part, hexadecimal; the secret has 256 random bits, so nothing slower is needed. */
  readonly hash: string;
  readonly expiresMs: number;
  /** Null while it can be used. */
  readonly usedMs: number | null;
}

export interface JoinToken {
  readonly token: string;
  readonly node: string;
  readonly expiresMs: number;
}

export interface JoinTokensParts {
  /** Holds the hashes; its folder exists and belongs to this process alone. */
  readonly file: string;
  /** Wall clock in milliseconds. */
  readonly now: () => number;
}

const form = 1;
const maxTokens = 1000;
const rememberedMs = 24 * 3_600_000;
export const minTtlMs = 1_000;
export const maxTtlMs = 24 * 3_600_000;

export class JoinTokens implements NodeAuthenticator {
  readonly #parts: JoinTokensParts;
  #kept: readonly KeptToken[];
  #writing: Promise<void> = Promise.resolve();

  /** Throws where the file cannot be read or understood: a token that was used must not become new. */
  constructor(parts: JoinTokensParts) {
    this.#parts = parts;
    this.#kept = readTokens(parts.file);
  }

  /** Makes a token. Throws RangeError for a name or a life that cannot be, Error where there are too many or no disk. */
  async create(node: string, ttlMs: number): Promise<JoinToken> {
    if (!isNodeName(node))
      throw new RangeError(`${node} is no name of a node: a DNS name in lower case is needed`);
    if (!(ttlMs >= minTtlMs && ttlMs <= maxTtlMs)) {
      throw new RangeError(`a token lives ${minTtlMs / 1000} s to ${maxTtlMs / 3_600_000} h`);
    }
    const nowMs = this.#parts.now();
    this.#forget(nowMs);
    if (this.#kept.length >= maxTokens) throw new Error(`there are ${maxTokens} tokens; some must end first`);
    const [id, secret] = [randomBytes(8).toString('hex'), randomBytes(32).toString('base64url')];
    const expiresMs = nowMs + ttlMs;
    this.#kept = [...this.#kept, { id, node, hash: hashOf(secret), expiresMs, usedMs: null }];
    await this.#write();
    return { token: `weft.${id}.${secret}`, node, expiresMs };
  }

  async authenticate(token: string, claimed: string): Promise<NodeProof> {
    const [, id = '', secret = ''] = /^weft\.([0-9a-f]{16})\.([\w-]{43})$/.exec(token) ?? [];
    const found = this.#kept.find((one) => one.id === id);
    const right = timingSafeEqual(Buffer.from(hashOf(secret)), Buffer.from(found?.hash ?? hashOf('')));
    if (found === undefined || !right || found.node !== claimed) {
      return refuse(
        'node_token_unknown',
        `the token is none that was made for node ${claimed.slice(0, 253)}`,
      );
    }
    const { node, usedMs, expiresMs } = found;
    const nowMs = this.#parts.now();
    if (usedMs !== null) {
      return refuse('node_token_replayed', `the token of node ${node} was used at ${timeText(usedMs)}`);
    }
    if (nowMs >= expiresMs) {
      return refuse('node_token_expired', `the token of node ${node} ended at ${timeText(expiresMs)}`);
    }
    // Before anything is awaited: of two that come at once, one is second.
    this.#kept = this.#kept.map((one) => (one === found ? { ...one, usedMs: nowMs } : one));
    try {
      await this.#write();
    } catch (error) {
      // What is not on disk could be used again after a restart.
      return refuse('issuer_failed', `the use of a token cannot be noted: ${(error as Error).message}`);
    }
    return { ok: true, node };
  }

  #forget(nowMs: number): void {
    this.#kept = this.#kept.filter(({ expiresMs }) => nowMs < expiresMs + rememberedMs);
  }

  /** On disk for certain when it resolves. */
  #write(): Promise<void> {
    const written = this.#writing.then(async () => {
      const draft = `${this.#parts.file}.next`;
      const file = await open(draft, 'w', 0o600);
      try {
        await file.writeFile(JSON.stringify({ form, tokens: this.#kept }));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(draft, this.#parts.file);
    });
    this.#writing = written.catch(() => {});
    return written;
  }
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

function readTokens(file: string): readonly KeptToken[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new Error(`cannot read the join tokens in ${file}`, { cause });
  }
  const found = parseTokens(text);
  if (found === null)
    throw new Error(`${file} holds no join tokens; remove it: tokens not used yet are lost then`);
  return found;
}

function parseTokens(text: string): readonly KeptToken[] | null {
  let content: { readonly form?: unknown; readonly tokens?: unknown } | null;
  try {
    content = JSON.parse(text) as typeof content;
  } catch {
    return null;
  }
  if (content?.form !== form || !Array.isArray(content.tokens)) return null;
  return content.tokens.every(isKept) ? content.tokens : null;
}

function isKept(value: unknown): value is KeptToken {
  const { id, node, hash, expiresMs, usedMs } = (value ?? {}) as Record<string, unknown>;
  const texts = typeof id === 'string' && typeof node === 'string' && typeof hash === 'string';
  return (
    texts && hash.length === 64 && Number.isFinite(expiresMs) && (usedMs === null || Number.isFinite(usedMs))
  );
}
