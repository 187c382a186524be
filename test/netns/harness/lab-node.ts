/** A node of a lab: a network namespace with a bridge that its pods are on, joined to other nodes by routed links. */
import { runCommand } from './run-command.js';

export interface LabNode {
  /** Its name in manifests. */
  readonly name: string;
  readonly netns: string;
  /** The bridge's addresses: the pods' gateways. */
  readonly ipv4: string;
  readonly ipv6: string;
  /** Length of the IPv4 network of its pods; IPv6 has 64. */
  readonly prefix: number;
}

/** The one node of most labs: pods in 10.66.0.0/16 and fd66::/64. */
export function firstNode(id: string): LabNode {
  return { name: 'local', netns: `${id}-node`, ipv4: '10.66.0.1', ipv6: 'fd66::1', prefix: 16 };
}

/** A further node: pods in 10.66.1.0/24 and fd66:0:0:1::/64. */
export function secondNode(id: string, name: string): LabNode {
  return { name, netns: `${id}-${name}`, ipv4: '10.66.1.1', ipv6: 'fd66:0:0:1::1', prefix: 24 };
}

/** Ends of the link between the two nodes, the first one's first. */
export const linkAddresses = ['10.67.0.1', '10.67.0.2'] as const;
export const linkDevice = 'link0';

/** Makes the namespace and its bridge. */
export async function createNode({ netns, ipv4, ipv6, prefix }: LabNode): Promise<void> {
  await runCommand(['ip', 'netns', 'add', netns]);
  await batch(netns, [
    'link set lo up',
    'link add br0 type bridge',
    `addr add ${ipv4}/${prefix} dev br0`,
    `addr add ${ipv6}/64 dev br0 nodad`,
    'link set br0 up',
  ]);
}

/** Joins two nodes by a link of its own; what is for the other's pods is routed over it. */
export async function joinNodes(first: LabNode, second: LabNode): Promise<void> {
  const link = `link add ${linkDevice} type veth peer name ${linkDevice} netns ${second.netns}`;
  await batch(first.netns, [
    link,
    `addr add ${linkAddresses[0]}/30 dev ${linkDevice}`,
    `addr add fd67::1/64 dev ${linkDevice} nodad`,
    `link set ${linkDevice} up`,
  ]);
  await batch(second.netns, [
    `addr add ${linkAddresses[1]}/30 dev ${linkDevice}`,
    `addr add fd67::2/64 dev ${linkDevice} nodad`,
    `link set ${linkDevice} up`,
    `route add 10.66.0.0/16 via ${linkAddresses[0]}`,
    'route add fd66::/64 via fd67::1',
  ]);
  await batch(first.netns, [
    `route add 10.66.1.0/24 via ${linkAddresses[1]}`,
    'route add fd66:0:0:1::/64 via fd67::2',
  ]);
  const forward = ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1'];
  for (const { netns } of [first, second]) {
    await runCommand(['ip', 'netns', 'exec', netns, 'sysctl', '-q', '-w', ...forward]);
  }
}

/** Pods of the first node take the second's for neighbours, for their network is the larger one. */
export async function routeToSecond(podNetns: string, first: LabNode): Promise<void> {
  await batch(podNetns, [`route add 10.66.1.0/24 via ${first.ipv4}`]);
}

async function batch(netns: string, lines: readonly string[]): Promise<void> {
  await runCommand(['ip', '-netns', netns, '-batch', '-'], { input: lines.join('\n') });
}
