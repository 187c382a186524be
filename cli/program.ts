/** The weft command, by either of its names. */
import { dirname } from 'node:path';
import { checkUsage, showCheck } from './check/check-command.js';
import { clean, cleanUsage } from './clean.js';
import { explainUsage, showExplain } from './explain.js';
import type { ProgramName, Shown } from './open-scope.js';
import { nodeUsage, parseJoinOptions } from './run/join-options.js';
import { run, runNode } from './run/run.js';
import { parseRunOptions, runUsage } from './run/run-options.js';
import {
  certificatesUsage,
  connectionsUsage,
  edgesUsage,
  routesUsage,
  showCertificates,
  showConnections,
  showEdges,
  showRoutes,
  showWorkloads,
  workloadsUsage,
} from './show/commands.js';
import { showStat, statUsage } from './show/stat-command.js';
import { showStatus, statusUsage } from './show/status-command.js';
import { showWhy, whyUsage } from './show/why-command.js';
import { token, tokenUsage } from './token.js';
import { CommandError, describeError, UsageError } from './usage-error.js';
import { showVet, vetUsage } from './vet.js';

interface Command {
  readonly summary: string;
  readonly usage: (program: ProgramName) => string;
  /** It is about this machine: only plain `weft` has it. */
  readonly local?: true;
  /** Returns the exit code. */
  readonly act: (args: readonly string[], program: ProgramName) => Promise<number> | number;
}

/** The folder of compiled rooms: this file runs as dist/cli/program.js. */
const dist = dirname(import.meta.dirname);
const out = (text: string) => void process.stdout.write(text);
const err = (text: string) => void process.stderr.write(text);

/** A command that prints what it found. */
function show(
  summary: string,
  usage: Command['usage'],
  find: (args: readonly string[], program: ProgramName) => Promise<Shown>,
): Command {
  const act = async (args: readonly string[], program: ProgramName) => {
    const { text, warnings = [], exitCode } = await find(args, program);
    for (const warning of warnings) err(`warning: ${warning}\n`);
    out(text);
    return exitCode;
  };
  return { summary, usage, act };
}

const commands: Readonly<Record<string, Command>> = {
  run: {
    summary: 'run controller, capture and proxy over a folder of manifests',
    usage: () => runUsage,
    local: true,
    act: async (args) => {
      await run(parseRunOptions(args), { dist, out, err, ended: nextSignal(), onUpgrade });
      return 0;
    },
  },
  node: {
    summary: 'run capture and proxy of a further node, under a controller elsewhere',
    usage: () => nodeUsage,
    local: true,
    act: async (args) => {
      await runNode(parseJoinOptions(args), { dist, out, err, ended: nextSignal(), onUpgrade });
      return 0;
    },
  },
  token: {
    summary: 'let a further node join',
    usage: () => tokenUsage,
    local: true,
    act: async (args) => {
      await token(args, { out, err });
      return 0;
    },
  },
  vet: show('tell what is wrong with manifests', vetUsage, showVet),
  check: show('does everything hold that must, before and after installing', checkUsage, showCheck),
  explain: show('what a reason of refusals means, and what to do', explainUsage, showExplain),
  status: show('is everything in force, and what is wrong', statusUsage, showStatus),
  workloads: show('workloads and their identities', workloadsUsage, showWorkloads),
  routes: show('rules of the HTTP routes in force', routesUsage, showRoutes),
  connections: show('what is open right now', connectionsUsage, showConnections),
  edges: show('who talks to whom, encrypted or not, and why not', edgesUsage, showEdges),
  certificates: show('identities: serial, issuer, end, state', certificatesUsage, showCertificates),
  stat: show('success rate, requests per second, latency', statUsage, showStat),
  why: show('what would happen to a request, and who decides', whyUsage, showWhy),
  clean: {
    summary: 'remove every trace of a weft that is not running',
    usage: () => cleanUsage,
    local: true,
    act: (args) => {
      clean(args, dist, err);
      return 0;
    },
  },
};

/** Commands that the program of this name has. */
const commandsOf = (program: ProgramName) =>
  Object.entries(commands).filter(([, { local }]) => program === 'weft' || local !== true);

const usage = (program: ProgramName) => `usage: ${program} COMMAND [options]

${commandsOf(program)
  .map(([name, { summary }]) => `  ${name.padEnd(13)}${summary}`)
  .join('\n')}

${program} COMMAND --help tells more. Exit codes: 0 done, 1 failed, 2 wrong usage.
`;

function nextSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve(signal));
  });
}

function onUpgrade(call: () => void): void {
  process.on('SIGUSR2', call);
}

/** The oldest Node.js that weft runs on: what package.json's `engines` says. */
const oldestNode = [22, 19] as const;

/** What is wrong with a Node.js of this version, or undefined. */
function tooOld(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = oldestNode;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return undefined;
  return `Node.js ${version} is too old, weft needs ${oldestNode.join('.')} or later; scripts/weft brings its own`;
}

async function act(program: ProgramName, [name, ...args]: readonly string[]): Promise<number> {
  const problem = tooOld(process.versions.node);
  if (problem !== undefined) {
    err(`${program}: ${problem}\n`);
    return 1;
  }
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    out(usage(program));
    return name === undefined ? 2 : 0;
  }
  const command = new Map(commandsOf(program)).get(name);
  if (command === undefined) {
    err(`${program}: there is no command ${name}\n\n${usage(program)}`);
    return 2;
  }
  if (args.includes('--help') || args.includes('-h')) {
    out(command.usage(program));
    return 0;
  }
  try {
    return await command.act(args, program);
  } catch (error) {
    if (error instanceof UsageError) {
      err(`${program} ${name}: ${error.message}\n\n${command.usage(program)}`);
      return 2;
    }
    if (!(error instanceof CommandError)) throw error;
    err(`${program}: ${describeError(error)}\n`);
    return 1;
  }
}

/** Does what this process's command line says, and sets its exit code. */
export async function start(program: ProgramName): Promise<void> {
  // Whoever read the output may be gone; that is no reason to leave kernel state behind.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  process.exitCode = await act(program, process.argv.slice(2));
}
