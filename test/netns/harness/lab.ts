/**
 * A lab: one node made of network namespaces, with a bridge and pods on it. Everything in it carries the lab's name, so
 * that it can be removed as a whole, by this process or, if this one dies, by the next.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createCgroup } from './cgroup.js';
import { claimLab, labCgroup, labRemains, removeLab, sweepDeadLabs } from './lab-folder.js';
import { createNode, firstNode, joinNodes, type LabNode, routeToSecond, secondNode } from './lab-node.js';
import { LabProcess, type SpawnOptions } from './lab-process.js';
import { Pod, type PodAddresses } from './pod.js';

export class Lab {
  readonly id: string;
  /** Files of the lab: manifests, logs, state. Removed with it. */
  readonly folder: string;
  readonly cgroup: string;
  readonly node: LabNode;
  readonly pods = new Map<string, Pod>();
  private second: LabNode | undefined;
  private nextHost = 10;

  private constructor(id: string) {
    this.id = id;
    this.folder = claimLab(id);
    this.cgroup = labCgroup(id);
    this.node = firstNode(id);
  }

  get nodes(): readonly LabNode[] {
    return this.second === undefined ? [this.node] : [this.node, this.second];
  }

  /** The namespace that stands for the node: it holds the bridge and the host's ends of the pods' links. */
  get nodeNetns(): string {
    return this.node.netns;
  }

  /** Removes what dead runs left, then makes the node. `id` is part of every name: 2 to 8 characters. */
  static async open(id = `wl${process.pid.toString(36)}`): Promise<Lab> {
    if (!/^[a-z][a-z0-9]{1,7}$/.test(id))
      throw new Error(`lab name '${id}': 2 to 8 of a-z and 0-9, a letter first`);
    await sweepDeadLabs();
    const lab = new Lab(id);
    try {
      createCgroup(lab.cgroup);
      await createNode(lab.node);
    } catch (error) {
      await removeLab(id);
      throw error;
    }
    return lab;
  }

  /** A second node, joined to the first by a routed link. */
  async addNode(name: string): Promise<LabNode> {
    const added = secondNode(this.id, name);
    this.second = added;
    await createNode(added);
    await joinNodes(this.node, added);
    return added;
  }

  /** A pod named `<lab>-<name>`, with an address of each family on its node's bridge (10.66.0.0/16, fd66::/64). */
  async addPod(
    name: string,
    addresses: PodAddresses = this.nextAddresses(),
    home: LabNode = this.node,
  ): Promise<Pod> {
    const pod = new Pod(
      name,
      `${this.id}-${name}`,
      addresses,
      join(this.cgroup, name),
      join(this.folder, name),
    );
    await pod.create(home);
    if (this.second !== undefined && home === this.node) await routeToSecond(pod.netns, this.node);
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

  /** Starts a program in `netns` (default: the machine's own), inside the lab's cgroup, in a group of its own there. */
  spawn(argv: readonly string[], options: Omit<SpawnOptions, 'cgroup'>, group = 'node'): LabProcess {
    const cgroup = join(this.cgroup, group);
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
}
