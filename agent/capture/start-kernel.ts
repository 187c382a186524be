/** Brings the kernel programs into force, proved by the self-test, or leaves the machine as it was. */
import { existsSync } from 'node:fs';
import type { KernelFunctions, KernelPrograms, LoadOptions } from '../../native/kernel.js';
import type { CaptureLog } from './capture-log.js';

/**
 * Throws Error that says what failed and how to mend it. What an earlier capture pinned is never removed, and its programs
 * are back in force; so are they where the caller closes the programs before it keeps them.
 */
export function startKernel(
  functions: Pick<KernelFunctions, 'loadKernel' | 'removePins'>,
  options: LoadOptions,
  log: CaptureLog,
): KernelPrograms {
  const wasThere = existsSync(options.pinFolder);
  let kernel: KernelPrograms | undefined;
  try {
    kernel = functions.loadKernel(options);
    kernel.selfTest();
  } catch (error) {
    kernel?.close();
    if (!wasThere && existsSync(options.pinFolder)) functions.removePins(options.pinFolder);
    throw error;
  }
  log('info', 'kernel programs are in force and proved', {
    pinFolder: options.pinFolder,
    links: kernel.links,
  });
  return kernel;
}
