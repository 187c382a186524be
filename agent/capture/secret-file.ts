/**
 * One secret of the vault in a file of root alone, so that it outlives the node as a whole: the key and certificate that
 * a node proves itself with to its controller. Only where it is asked for; no other secret is ever written.
 */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { maxSecretLength } from '../handover/messages.js';
import { type CaptureLog, describeError } from './capture-log.js';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants;

export class SecretFile {
  readonly #path: string;
  readonly #log: CaptureLog;

  /** Throws where somebody else could put another file in its place. */
  constructor(path: string, log: CaptureLog) {
    this.#path = path;
    this.#log = log;
    const folder = lstatSync(dirname(path));
    if (!folder.isDirectory() || folder.uid !== process.getuid?.() || (folder.mode & 0o022) !== 0) {
      throw new Error(`${dirname(path)} must be a folder of root that nobody else may write`);
    }
  }

  /** Base64; null where there is none, or none that can be trusted: that is told in the log. */
  read(): string | null {
    try {
      const descriptor = openSync(this.#path, O_RDONLY | O_NOFOLLOW);
      try {
        return readOwn(descriptor);
      } finally {
        closeSync(descriptor);
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#complain('cannot be used', error);
      return null;
    }
  }

  /** On disk when it returns, whole or not at all. A failure is logged: the secret is then in memory alone. */
  write(secret: string): void {
    const next = `${this.#path}.next`;
    try {
      rmSync(next, { force: true });
      const descriptor = openSync(next, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
      try {
        writeFileSync(descriptor, `${secret}\n`);
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
      renameSync(next, this.#path);
      syncFolder(dirname(this.#path));
    } catch (error) {
      this.#complain('cannot be written', error);
    }
  }

  remove(): void {
    rmSync(this.#path, { force: true });
  }

  #complain(what: string, error: unknown): void {
    this.#log('warn', `the file of the node's key ${what}`, {
      file: this.#path,
      error: describeError(error),
    });
  }
}

function readOwn(descriptor: number): string {
  const { uid, mode, size } = fstatSync(descriptor);
  if (uid !== process.getuid?.() || (mode & 0o177) !== 0) {
    throw new Error('others may read or write it, or it is another user`s; remove it, and join with a token');
  }
  if (size > maxSecretLength + 1) throw new Error(`it holds ${size} bytes, more than a secret does`);
  const secret = readFileSync(descriptor, 'latin1').trimEnd();
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(secret)) throw new Error('it holds no secret');
  return secret;
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, O_RDONLY);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
