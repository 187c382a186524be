/**
 * The folder of a lab below /run/weft-lab: who owns it, and its files. A folder whose owner is gone is what a run that
 * died left behind; the next run removes it and everything that carries its name.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findCgroupMount, removeCgroup } from './cgroup.js';
import { runCommand, tryCommand } from './run-command.js';

const home = '/run/weft-lab';

/** The weft command of this build. */
export const weftMain = join(import.meta.dirname, '../../../cli/main.js');

export function labFolder(id: string): string {
  return join(home, id);
}

export function labCgroup(id: string): string {
  return join(findCgroupMount(), `weft-lab-${id}`);
}

/** Claims the name for this process. Throws where a living process holds it. */
export function claimLab(id: string): string {
  const folder = labFolder(id);
  const owner = ownerOf(id);
  if (owner !== undefined && isAlive(owner)) {
    throw new Error(`lab ${id} is in use by process ${owner.split(' ')[0]}: wait for it or end it`);
  }
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  writeFileSync(join(folder, 'owner'), `${process.pid} ${startTime(process.pid)}\n`);
  return folder;
}

/** Removes the lab if this process holds its name: another's is left alone. */
export async function removeOwnLab(id: string): Promise<void> {
  if (ownerOf(id) === `${process.pid} ${startTime(process.pid)}`) await removeLab(id);
}

/** Removes what dead runs left behind; returns their names. */
export async function sweepDeadLabs(): Promise<string[]> {
  if (!existsSync(home)) return [];
  const dead = readdirSync(home).filter((id) => {
    const owner = ownerOf(id);
    return owner === undefined || !isAlive(owner);
  });
  for (const id of dead) await removeLab(id);
  return dead;
}

/** Ends the lab's processes and removes its kernel state, namespaces, cgroups and files, in that order. */
export async function removeLab(id: string): Promise<void> {
  await removeCgroup(labCgroup(id));
  await removeForeignProgram(id);
  await removeKernelState(id);
  for (const netns of labNamespaces(id)) await runCommand(['ip', 'netns', 'del', netns]);
  rmSync(labFolder(id), { recursive: true, force: true });
}

/** Names of the network namespaces that carry the lab's name. */
export function labNamespaces(id: string): string[] {
  if (!existsSync('/run/netns')) return [];
  return readdirSync('/run/netns').filter((name) => name.startsWith(`${id}-`));
}

/** What of a lab is still there: namespaces, cgroup, files. Empty after {@link removeLab}. */
export function labRemains(id: string): string[] {
  const remains = labNamespaces(id).map((name) => `/run/netns/${name}`);
  for (const path of [labFolder(id), labCgroup(id), foreignPin(id)]) if (existsSync(path)) remains.push(path);
  return remains;
}

/** Where a test pins a program of its own that it attaches to connect4 of the root cgroup. */
export function foreignPin(id: string): string {
  return `/sys/fs/bpf/${id}-foreign`;
}

async function removeForeignProgram(id: string): Promise<void> {
  const pin = foreignPin(id);
  if (!existsSync(pin)) return;
  // It may have been pinned and not attached yet; without the pin and the attachment the kernel frees it.
  await tryCommand(['bpftool', 'cgroup', 'detach', findCgroupMount(), 'connect4', 'pinned', pin]);
  rmSync(pin);
}

/** A weft that was killed leaves pinned programs on purpose; its own command removes them. */
async function removeKernelState(id: string): Promise<void> {
  const folder = labFolder(id);
  if (!existsSync(folder) || !existsSync(weftMain)) return;
  for (const name of readdirSync(folder).filter((one) => one === 'state' || one.startsWith('state-'))) {
    const state = join(folder, name);
    const result = await tryCommand([process.execPath, weftMain, 'clean', '--state', state]);
    if (result.code !== 0)
      throw new Error(`weft clean --state ${state}: exit ${result.code}: ${result.stderr}`);
  }
}

function ownerOf(id: string): string | undefined {
  const file = join(labFolder(id), 'owner');
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
}

/** A process id alone may have been given away again; with its start time it names one process until reboot. */
function isAlive(owner: string): boolean {
  const [pid = '', started = ''] = owner.split(' ');
  return started !== '' && startTime(Number(pid)) === started;
}

/** Field 22 of /proc/PID/stat (proc(5)), empty where there is no such process. */
function startTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
