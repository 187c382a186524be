/** `kubectl weft`, as a person runs it: kubectl finds the plugin on PATH. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { kubeconfig, kubectl } from './cluster.js';

const root = join(import.meta.dirname, '../../../..');

export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder that holds kubectl-weft: the checkout's, or an unpacked archive's. */
export const checkout = join(root, 'scripts');

/** Resolves whatever the exit code is. */
export function weft(
  args: readonly string[],
  { config = kubeconfig(), folder = checkout }: { config?: string; folder?: string } = {},
): Promise<Said> {
  const bin = join(kubeconfig(), '../bin');
  // Of the machine only what every machine has; Node.js is the plugin's own.
  const env = { PATH: `${folder}:/usr/bin:/bin`, KUBECONFIG: config, HOME: process.env.HOME };
  return new Promise((resolve) => {
    execFile(
      join(bin, 'kubectl'),
      ['weft', ...args],
      { env, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      },
    );
  });
}

/** What it prints; rejects where it fails. */
export async function weftJson<Answer>(...args: readonly string[]): Promise<Answer> {
  const { code, stdout, stderr } = await weft([...args, '-o', 'json']);
  if (code !== 0) throw new Error(`kubectl weft ${args.join(' ')}: ${code} ${stderr}${stdout}`);
  return JSON.parse(stdout) as Answer;
}

/** A kubeconfig of a service account's token, as text. */
export async function writeConfigOf(namespace: string, account: string): Promise<string> {
  const token = (await kubectl('-n', namespace, 'create', 'token', account)).trim();
  const config = JSON.parse(await kubectl('config', 'view', '--raw', '--minify', '-o', 'json')) as {
    readonly clusters: readonly { readonly name: string }[];
  };
  const cluster = config.clusters[0]?.name;
  return JSON.stringify({
    ...config,
    users: [{ name: account, user: { token } }],
    contexts: [{ name: 'test', context: { cluster, user: account } }],
    'current-context': 'test',
  });
}
