/** What every step of the demo works with. */
import type { Lab } from '../netns/harness/lab.js';
import type { Sample } from '../netns/harness/metrics.js';
import type { CommandResult } from '../netns/harness/run-command.js';
import type { Shop } from '../netns/harness/shop.js';
import type { Weft } from '../netns/harness/weft.js';
import type { WireCapture } from '../netns/harness/wire-capture.js';
import type { Narrator } from './narrator.js';

/** The demo on its way. */
export interface Demo {
  readonly lab: Lab;
  readonly shop: Shop;
  /** node-a's: controller, capture, proxy. */
  readonly weft: Weft;
  /** node-b's: capture and proxy. */
  readonly second: Weft;
  /** What travels between the nodes, from the first request on. */
  readonly wire: WireCapture;
  readonly narrator: Narrator;
  /** Scrapes of /metrics: the first one (at `startMs` of performance.now), and the last before the proxy was killed. */
  readonly scrapes: {
    readonly startMs: number;
    readonly first: readonly Sample[];
    beforeKill: readonly Sample[];
  };
}

export interface ShownOptions {
  readonly timeoutMs?: number;
  /** What the reader sees instead of the arguments, where those are long. */
  readonly as?: string;
  readonly input?: string;
}

/** Runs a program in a pod as a person would, and shows command and output. */
export async function showCommand(
  { lab, narrator }: Pick<Demo, 'lab' | 'narrator'>,
  podName: string,
  argv: readonly string[],
  options: ShownOptions = {},
): Promise<CommandResult> {
  const pod = lab.pod(podName);
  narrator.command(`ip netns exec ${pod.netns} ${options.as ?? argv.map(quote).join(' ')}`);
  const { timeoutMs = 15_000, input = '' } = options;
  const result = await pod.try(argv, { timeoutMs, input });
  narrator.seen(result.stdout || result.stderr || '(nothing)');
  return result;
}

/** Runs a command of weft's as a person would, and shows command and output. */
export async function showWeft(
  { narrator, weft }: Pick<Demo, 'narrator' | 'weft'>,
  ...args: string[]
): Promise<CommandResult> {
  narrator.command(`weft ${args.map(quote).join(' ')} --state ${weft.state}`);
  const result = await weft.command(...args);
  narrator.seen(result.stdout || result.stderr || '(nothing)');
  return result;
}

/** Quotes an argument for a shell where it needs it. */
function quote(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}
