/**
 * Removes every trace of weft from the kernel: links, maps and namespaces' links below a pin folder; then proves that
 * each link is gone. Connections are steered no more from then on. Folders that weft kept files in are emptied.
 * Before all that weft-cni is taken out of the node's network configuration, so that no pod waits for capture any more.
 * usage: clean [--pin-folder PATH] [--empty-folder PATH]... [--cni-config-folder PATH --cni-program-folder PATH]
 * Prints one JSON line; exit 1 where something is left.
 */
import { chownSync, existsSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { loadCapture } from '../../native/load-capture.js';
import { describeError } from './capture-log.js';
import { removeProgram, unchainAll } from './cni/plugin-files.js';

/** The kernel frees a link a moment after its last reference is gone. */
const freeMs = 2_000;

async function clean(pinFolder: string, unchained: readonly string[]): Promise<void> {
  const addon = loadCapture();
  const { pins, links } = addon.removePins(pinFolder);
  const deadline = performance.now() + freeMs;
  let left = addon.findLinks(links);
  while (left.length > 0 && performance.now() < deadline) {
    await delay(5);
    left = addon.findLinks(left);
  }
  const removed = pins.length;
  process.stdout.write(`${JSON.stringify({ pinFolder, removed, links: links.length, left, unchained })}\n`);
  if (left.length > 0 || existsSync(pinFolder)) {
    throw new Error(`links ${left.join(', ')} still exist: a process holds them open (bpftool link)`);
  }
}

/** Folders of the proxy's user are made root's first: a root without CAP_DAC_OVERRIDE may not look into them. */
function empty(folder: string): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      chownSync(path, 0, 0);
      empty(path);
      rmdirSync(path);
    } else {
      unlinkSync(path);
    }
  }
}

try {
  const { values } = parseArgs({
    options: {
      'pin-folder': { type: 'string', default: '/sys/fs/bpf/weft' },
      'empty-folder': { type: 'string', multiple: true, default: [] },
      'cni-config-folder': { type: 'string' },
      'cni-program-folder': { type: 'string' },
    },
  });
  const { 'cni-config-folder': configFolder, 'cni-program-folder': programFolder } = values;
  await clean(values['pin-folder'], configFolder === undefined ? [] : unchainAll(configFolder));
  if (programFolder !== undefined) removeProgram(programFolder);
  for (const folder of values['empty-folder']) empty(folder);
} catch (error) {
  process.stderr.write(`clean: ${describeError(error)}\n`);
  process.exit(1);
}
