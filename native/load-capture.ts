/** Loads the privileged addon (native/addon/capture.cc). Only capture, its clean command and their tests import this. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { ChannelFunctions } from './channel.js';
import type { KernelFunctions } from './kernel.js';

export interface CaptureAddon extends ChannelFunctions, KernelFunctions {}

const builtAddon = fileURLToPath(new URL('../../build/native/weft_capture.node', import.meta.url));

/** Throws where the file is missing or was built for another node. */
export function loadCapture(path: string = builtAddon): CaptureAddon {
  return createRequire(import.meta.url)(path) as CaptureAddon;
}
