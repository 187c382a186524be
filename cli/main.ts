/** The weft command. */
import { dirname } from 'node:path';
import { clean, cleanUsage } from './clean.js';
import { run } from './run/run.js';
import { parseRunOptions, runUsage } from './run/run-options.js';
import { CommandError, describeError, UsageError } from './usage-error.js';

interface Command {
  readonly summary: string;
  readonly usage: string;
  readonly act: (args: readonly string[]) => Promise<void> | void;
}

/** The folder of compiled rooms: this file runs as dist/cli/main.js. */
const dist = dirname(import.meta.dirname);
const out = (text: string) => void process.stdout.write(text);
const err = (text: string) => void process.stderr.write(text);

const commands: Readonly<Record<string, Command>> = {
  run: {
    summary: 'run controller, capture and proxy over a folder of manifests',
    usage: runUsage,
    act: (args) => run(parseRunOptions(args), { dist, out, err, ended: nextSignal() }),
  },
  clean: {
    summary: 'remove every trace of a weft that is not running',
    usage: cleanUsage,
    act: (args) => clean(args, dist, err),
  },
};

const usage = `usage: weft COMMAND [options]

${Object.entries(commands)
  .map(([name, { summary }]) => `  ${name.padEnd(13)}${summary}`)
  .join('\n')}

weft COMMAND --help tells more. Exit codes: 0 done, 1 failed, 2 wrong usage.
`;

function nextSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve(signal));
  });
}

async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    out(usage);
    return name === undefined ? 2 : 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    err(`weft: there is no command ${name}\n\n${usage}`);
    return 2;
  }
  if (args.includes('--help') || args.includes('-h')) {
    out(command.usage);
    return 0;
  }
  try {
    await command.act(args);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      err(`weft ${name}: ${error.message}\n\n${command.usage}`);
      return 2;
    }
    if (!(error instanceof CommandError)) throw error;
    err(`weft: ${describeError(error)}\n`);
    return 1;
  }
}

// Whoever read the output may be gone; that is no reason to leave kernel state behind.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
process.exitCode = await main(process.argv.slice(2));
