/** The plugin's files on a node: its program, and its entry in the network configuration. Every write is by rename. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type ChainEntry, chainPlugin, networkFiles, pluginType, unchainPlugin } from './chain-plugin.js';

/** Names that no runtime looks at. */
const next = '.weft-cni.next';

export type ChainState =
  | { readonly kind: 'chained'; readonly file: string; readonly changed: boolean }
  /** There is no network yet, or only one that nothing can be chained to. */
  | { readonly kind: 'no-network' }
  | { readonly kind: 'no-list'; readonly file: string };

/** Lays the program where the runtime looks for plugins. Throws where it cannot. */
export function installProgram(program: string, folder: string): void {
  const bytes = readFileSync(program);
  const target = join(folder, pluginType);
  if (existsSync(target) && lstatSync(target).isFile() && readFileSync(target).equals(bytes)) return;
  replace(folder, target, bytes, 0o755);
}

/** Chains the entry into the network that the runtime takes, and out of all others. Throws where it cannot write. */
export function chainInto(folder: string, entry: ChainEntry): ChainState {
  let state: ChainState = { kind: 'no-network' };
  for (const name of networkFiles(readdirSync(folder))) {
    const path = join(folder, name);
    const text = readFileSync(path, 'utf8');
    if (state.kind !== 'no-network') {
      unchain(folder, path, text);
      continue;
    }
    const chaining = chainPlugin(text, entry);
    if (chaining.kind === 'no-network') continue;
    if (chaining.kind === 'no-list') state = { kind: 'no-list', file: path };
    else {
      if (chaining.kind === 'changed') replace(folder, path, chaining.text, statSync(path).mode & 0o777);
      state = { kind: 'chained', file: path, changed: chaining.kind === 'changed' };
    }
  }
  return state;
}

/** Takes the plugin out of every network. Returns the files that were changed. Throws where it stays in one. */
export function unchainAll(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const paths = networkFiles(readdirSync(folder)).map((name) => join(folder, name));
  rmSync(join(folder, next), { force: true });
  return paths.filter((path) => unchain(folder, path, readFileSync(path, 'utf8')));
}

/** Takes the program away, once no network names it any more. */
export function removeProgram(folder: string): void {
  for (const name of [pluginType, next]) rmSync(join(folder, name), { force: true });
}

function unchain(folder: string, path: string, text: string): boolean {
  const without = unchainPlugin(text);
  if (without !== undefined) replace(folder, path, without, statSync(path).mode & 0o777);
  return without !== undefined;
}

function replace(folder: string, path: string, content: string | Buffer, mode: number): void {
  const temporary = join(folder, next);
  rmSync(temporary, { force: true });
  writeFileSync(temporary, content, { mode, flag: 'wx' });
  // Whatever the umask says.
  chmodSync(temporary, mode);
  renameSync(temporary, path);
}
