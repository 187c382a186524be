/**
 * A lab: one node made of network namespaces, with a bridge and pods on it. Everything in it carries the lab's name, so
 * that it can be removed as a whole, by this process or, if this one dies, by the next.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createCgroup } from './cgroup.js';
import { claimLab, labCgroup, labRemains, removeLab, sweepDeadLabs } from './lab-folder.js';
import { LabProcess, type SpawnOptions } from './lab-process.js';
import { Pod, type PodAddresses } from './pod.js';
import { runCommand } from './run-command.js';

export class Lab {
  readonly id: string;
  /** Files of the lab: manifests, logs, state. Removed with it. */
  readonly folder: string;
  readonly cgroup: string;
  /** The namespace that stands for the node: it holds the bridge and the host's ends of the pods' links. */
  readonly nodeNetns: string;
  readonly pods = new Map<string, Pod>();
  private nextHost = 10;

  private constructor(id: string) {
    this.id = id;
    this.folder = claimLab(id);
    this.cgroup = labCgroup(id);
    this.nodeNetns = `${id}-node`;
  }

  /** Removes what dead runs left, then makes the node. `id` is part of every name: 2 to 8 characters. */
  static async open(id = `wl${process.pid.toString(36)}`): Promise<Lab> {
    if (!/^[a-z][a-z0-9]{1,7}$/.test(id))
      throw new Error(`lab name '${id}': 2 to 8 of a-z and 0-9, a letter first`);
    await sweepDeadLabs();
    const lab = new Lab(id);
    try {
      createCgroup(lab.cgroup);
      await lab.createNode();
    } catch (error) {
      await removeLab(id);
      throw error;
    }
    return lab;
  }

  /** A pod named `<lab>-<name>`, with an address of each family on the bridge (10.66.0.0/16, fd66::/64). */
  async addPod(name: string, addresses: PodAddresses = this.nextAddresses()): Promise<Pod> {
    const pod = new Pod(
      name,
      `${this.id}-${name}`,
      addresses,
      join(this.cgroup, name),
      join(this.folder, name),
    );
    await pod.create(this.nodeNetns);
    this.pods.set(name, pod);
    return pod;
  }

  /** Ends the pod's processes and removes its namespace. */
  async removePod(name: string): Promise<void> {
    await this.pod(name).remove();
    this.pods.delete(name);
  }

  pod(name: string): Pod {
    const pod = this.pods.get(name);
    if (pod === undefined) throw new Error(`lab ${this.id} has no pod '${name}'`);
    return pod;
  }

  /** Starts a program in the node's namespace (or `netns`), inside the lab's cgroup. */
  spawn(argv: readonly string[], options: Omit<SpawnOptions, 'cgroup'>): LabProcess {
    const cgroup = join(this.cgroup, 'node');
    createCgroup(cgroup);
    return new LabProcess(argv, { ...options, cgroup });
  }

  /** Removes everything and throws if anything is left. */
  async close(): Promise<void> {
    await removeLab(this.id);
    const remains = labRemains(this.id);
    if (remains.length > 0) throw new Error(`lab ${this.id} left behind: ${remains.join(', ')}`);
    rmSync(this.folder, { recursive: true, force: true });
  }

  private nextAddresses(): PodAddresses {
    const host = this.nextHost;
    this.nextHost += 1;
    return { ipv4: `10.66.0.${host}`, ipv6: `fd66::${host.toString(16)}` };
  }

  private async createNode(): Promise<void> {
    await runCommand(['ip', 'netns', 'add', this.nodeNetns]);
    const batch = [
      'link set lo up',
      'link add br0 type bridge',
      'addr add 10.66.0.1/16 dev br0',
      'addr add fd66::1/64 dev br0 nodad',
      'link set br0 up',
    ];
    await runCommand(['ip', '-netns', this.nodeNetns, '-batch', '-'], { input: batch.join('\n') });
  }
}
