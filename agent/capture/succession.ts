/** Who serves a node: one capture at a time. The others wait for its end, or do not start. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Channel } from '../../native/channel.js';
import type { CaptureAddon } from '../../native/load-capture.js';
import type { CaptureLog } from './capture-log.js';
import { standBy } from './take-over.js';

/** A capture that takes over listens again within this time. */
const gapMs = 1_000;
const lookMs = 50;

/** Throws where it cannot be known. */
export function isServed({ connectChannel }: Pick<CaptureAddon, 'connectChannel'>, socket: string): boolean {
  let channel: Channel;
  try {
    channel = connectChannel(socket, { onMessage: () => {}, onClose: () => {} });
  } catch (error) {
    const { code } = error as { readonly code?: string };
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return false;
    throw new Error(`it cannot be known whether a capture serves at ${socket}`, { cause: error });
  }
  channel.close();
  return true;
}

/** Throws where a capture serves at the socket: two would undo each other's enrolments. */
export function refuseSecond(addon: CaptureAddon, socket: string): void {
  if (!isServed(addon, socket)) return;
  throw new Error(`another capture serves at ${socket}; stop it, or take over from it with --take-over`);
}

/** Resolves when this capture's turn has come: the one that serves calls it, or nobody serves any more. */
export async function awaitTurn(addon: CaptureAddon, socket: string, log: CaptureLog): Promise<void> {
  log('info', 'standing by: another capture serves', { socket });
  for (let left = gapMs / lookMs; left > 0; left -= 1) {
    if (!isServed(addon, socket)) {
      await delay(lookMs);
      continue;
    }
    if ((await standBy(addon, socket)) === 'called') return;
    left = gapMs / lookMs;
  }
}

/**
 * This process begins anew and stands by: nothing of what it held, and handed over, can be left open. It does not return.
 */
export function beginAnew(): never {
  const [program, main, ...args] = process.argv as [string, string, ...string[]];
  const words = args.filter((word) => word !== '--take-over' && word !== '--stand-by');
  process.execve?.(
    program,
    [program, ...process.execArgv, main, ...words, '--stand-by'],
    process.env as Record<string, string>,
  );
  throw new Error('process.execve is missing: weft needs Node.js 24');
}
