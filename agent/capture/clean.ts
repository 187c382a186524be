/**
 * Removes every trace of weft from the kernel: links, maps and namespaces' links below a pin folder; then proves that
 * each link is gone. Connections are steered no more from then on.
 * usage: clean [--pin-folder PATH]    Prints one JSON line; exit 1 where something is left.
 */
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { loadCapture } from '../../native/load-capture.js';
import { describeError } from './capture-log.js';

/** The kernel frees a link a moment after its last reference is gone. */
const freeMs = 2_000;

async function clean(pinFolder: string): Promise<void> {
  const addon = loadCapture();
  const { pins, links } = addon.removePins(pinFolder);
  const deadline = performance.now() + freeMs;
  let left = addon.findLinks(links);
  while (left.length > 0 && performance.now() < deadline) {
    await delay(5);
    left = addon.findLinks(left);
  }
  process.stdout.write(`${JSON.stringify({ pinFolder, removed: pins.length, links: links.length, left })}\n`);
  if (left.length > 0 || existsSync(pinFolder)) {
    throw new Error(`links ${left.join(', ')} still exist: a process holds them open (bpftool link)`);
  }
}

try {
  const { values } = parseArgs({
    options: { 'pin-folder': { type: 'string', default: '/sys/fs/bpf/weft' } },
  });
  await clean(values['pin-folder']);
} catch (error) {
  process.stderr.write(`clean: ${describeError(error)}\n`);
  process.exit(1);
}
