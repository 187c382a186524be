/**
 * A wall clock that is wrong, for a process and all that it starts, and that can be set while they run. No namespace of the
 * kernel's shifts this clock (time_namespaces(7)), so a library does that the loader puts into each program, by an
 * /etc/ld.so.preload that these processes alone see: weft passes no environment on.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './run-command.js';
import { fixture } from './services.js';

const enter = `
  mount -t overlay overlay -o "lowerdir=/etc,upperdir=$1/upper,workdir=$1/work" /etc
  echo "$1/shift-clock.so" > /etc/ld.so.preload
  shift
  exec "$@"`;

export class ShiftedClock {
  /** What to run a program under, so that its clock is this one. */
  readonly under: readonly string[];
  readonly #file: string;

  private constructor(folder: string) {
    this.#file = join(folder, 'offset');
    this.under = ['unshare', '--mount', '--propagation', 'slave', 'sh', '-ec', enter, 'sh', folder];
  }

  /** In a folder that is there. */
  static async create(parent: string): Promise<ShiftedClock> {
    const folder = join(parent, 'shifted-clock');
    for (const name of ['upper', 'work']) mkdirSync(join(folder, name), { recursive: true, mode: 0o755 });
    const clock = new ShiftedClock(folder);
    writeFileSync(clock.#file, Buffer.alloc(8), { mode: 0o644 });
    const options = ['-shared', '-fPIC', '-Os', '-Wall', '-Wextra', '-Werror'];
    const file = `-DOFFSET_FILE="${clock.#file}"`;
    await runCommand([
      'gcc',
      ...options,
      file,
      '-o',
      join(folder, 'shift-clock.so'),
      fixture('shift-clock.c'),
    ]);
    return clock;
  }

  /** Ahead of the machine's by so many seconds from now on; below 0: behind. */
  set(seconds: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(seconds));
    // In place: processes have mapped this very file.
    writeFileSync(this.#file, bytes, { flag: 'r+' });
  }
}
