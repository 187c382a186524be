/** A pod: a network namespace with an address of each family, a cgroup, and the programs that run in it. */
import { mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { awaitEvent } from './await-event.js';
import { createCgroup, removeCgroup } from './cgroup.js';
import type { LabNode } from './lab-node.js';
import { LabProcess, type SpawnOptions } from './lab-process.js';
import { type CommandResult, runCommand } from './run-command.js';

export interface PodAddresses {
  readonly ipv4: string;
  readonly ipv6: string;
}

export interface PodSpawnOptions extends Omit<SpawnOptions, 'cgroup' | 'netns' | 'name'> {
  readonly name?: string;
  /** Another cgroup than the pod's own. */
  readonly cgroup?: string;
}

export class Pod {
  readonly name: string;
  readonly netns: string;
  readonly ipv4: string;
  readonly ipv6: string;
  readonly cgroup: string;
  /** Files of the pod's programs. */
  readonly folder: string;

  constructor(name: string, netns: string, addresses: PodAddresses, cgroup: string, folder: string) {
    this.name = name;
    this.netns = netns;
    this.ipv4 = addresses.ipv4;
    this.ipv6 = addresses.ipv6;
    this.cgroup = cgroup;
    this.folder = folder;
  }

  /** Makes namespace, link to the node's bridge, addresses and default routes. */
  async create(home: LabNode): Promise<void> {
    createCgroup(this.cgroup);
    mkdirSync(this.folder, { recursive: true });
    await runCommand(['ip', 'netns', 'add', this.netns]);
    const node = [
      `link add ${this.linkName} type veth peer name eth0 netns ${this.netns}`,
      `link set ${this.linkName} master br0 up`,
    ];
    const pod = [
      'link set lo up',
      `addr add ${this.ipv4}/${home.prefix} dev eth0`,
      `addr add ${this.ipv6}/64 dev eth0 nodad`,
      'link set eth0 up',
      `route add default via ${home.ipv4}`,
      `route add ::/0 via ${home.ipv6}`,
    ];
    await runCommand(['ip', '-netns', home.netns, '-batch', '-'], { input: node.join('\n') });
    await runCommand(['ip', '-netns', this.netns, '-batch', '-'], { input: pod.join('\n') });
  }

  /** The node's end of the pod's link: names of interfaces have at most 15 characters. */
  get linkName(): string {
    return `v-${this.name}`.slice(0, 15);
  }

  async remove(): Promise<void> {
    await removeCgroup(this.cgroup);
    await runCommand(['ip', 'netns', 'del', this.netns]);
    rmSync(this.folder, { recursive: true, force: true });
  }

  spawn(argv: readonly string[], options: PodSpawnOptions = {}): LabProcess {
    const name = `${this.name}: ${options.name ?? argv.slice(0, 3).join(' ')}`;
    return new LabProcess(argv, { cgroup: this.cgroup, ...options, name, netns: this.netns });
  }

  /** Runs a program to its end; a non-zero exit is a result. */
  async try(
    argv: readonly string[],
    options: PodSpawnOptions & { timeoutMs?: number } = {},
  ): Promise<CommandResult> {
    const started = this.spawn(argv, { input: '', ...options });
    const status = await deadlineOrKill(started, options.timeoutMs ?? 15_000);
    return { code: status.code ?? 1, signal: status.signal, stdout: started.stdout, stderr: started.stderr };
  }

  /** Runs a program that must succeed; returns its standard output. */
  async run(
    argv: readonly string[],
    options: PodSpawnOptions & { timeoutMs?: number } = {},
  ): Promise<string> {
    const result = await this.try(argv, options);
    if (result.code === 0) return result.stdout;
    throw new Error(`${this.name}: ${argv.join(' ')}: exit ${result.code}: ${result.stderr}${result.stdout}`);
  }

  /** Waits until a program of the pod listens on a TCP port; reads the kernel's table, so no connection is made. */
  async awaitPort(server: LabProcess, port: number): Promise<void> {
    const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
    const home = statSync(join('/run/netns', this.netns)).ino;
    await awaitEvent(`${server.name} to listen on port ${port}`, 10_000, () => {
      if (!server.running) throw new Error(`it ended: ${server.stderr.slice(-1000)}`);
      // Until nsenter has done its work the process still shows the caller's table.
      if (statSync(join('/proc', String(server.pid), 'ns/net')).ino !== home) return false;
      return ['tcp', 'tcp6'].some((table) =>
        readFileSync(join('/proc', String(server.pid), 'net', table), 'utf8')
          .split('\n')
          .some((line) => {
            const [, local = '', , state] = line.trim().split(/\s+/);
            return state === listenState && local.endsWith(wanted);
          }),
      );
    });
  }
}

/** TCP_LISTEN in /proc/net/tcp. */
const listenState = '0A';

async function deadlineOrKill(started: LabProcess, timeoutMs: number) {
  const timer = setTimeout(() => started.signal('SIGKILL'), timeoutMs);
  const status = await started.exited;
  clearTimeout(timer);
  if (status.signal === 'SIGKILL')
    throw new Error(`${started.name}: not done within ${timeoutMs} ms\n${started.stderr}`);
  return status;
}
