/** One identity as the text that capture's vault keeps. Also the roots are in it: a restart may find no controller. */

/** What a secret holds; nothing of it is believed before it is checked as a fresh certificate would be. */
export interface VaultSecret {
  /** PKCS#8 in DER. */
  readonly privateKey: Uint8Array;
  /** DER. */
  readonly chain: readonly Uint8Array[];
  /** DER. */
  readonly roots: readonly Uint8Array[];
}

const form = 1;
const maxEntries = 32;

export function encodeSecret({ privateKey, chain, roots }: VaultSecret): string {
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  const parts = { form, key: text(privateKey), chain: chain.map(text), roots: roots.map(text) };
  return Buffer.from(JSON.stringify(parts)).toString('base64');
}

/** Null where it is not understood: a proxy of another version wrote it. */
export function decodeSecret(secret: string): VaultSecret | null {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(secret, 'base64').toString('utf8'));
  } catch {
    // The parser's message would quote the secret.
    return null;
  }
  if (typeof parts !== 'object' || parts === null) return null;
  const { form: found, key, chain, roots } = parts as Record<string, unknown>;
  if (found !== form || typeof key !== 'string' || !isTexts(chain) || !isTexts(roots)) return null;
  const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'base64'));
  return { privateKey: bytes(key), chain: chain.map(bytes), roots: roots.map(bytes) };
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.length <= maxEntries && value.every((one) => typeof one === 'string');
}
