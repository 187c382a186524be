/**
 * A NetworkPolicy as its enforcers put it into a node's packet filter (kube-router, Calico's iptables): rules about real pods'
 * addresses and ports, past which a pod's packets are forwarded. The test cluster's own network, a plain bridge, enforces none.
 */
import { getJson, onNode } from './cluster.js';

/** The pods of one side, and who they may talk to over TCP; everything else to or from them is rejected. */
export interface Enforced {
  /** The node of the pods. */
  readonly node: string;
  readonly direction: 'ingress' | 'egress';
  /** Addresses that the policy selects. */
  readonly pods: readonly string[];
  readonly allowed: { readonly peers: readonly string[]; readonly port: number };
}

/** Packets that each rule has met. */
export interface Counts {
  readonly allowed: number;
  readonly denied: number;
}

export class PolicyEnforcer {
  readonly #node: string;
  readonly #table: string;

  private constructor(node: string, table: string) {
    this.#node = node;
    this.#table = table;
  }

  static async place({ node, direction, pods, allowed }: Enforced): Promise<PolicyEnforcer> {
    const table = `weft-test-${direction}`;
    const set = (addresses: readonly string[]) => `{ ${addresses.join(', ')} }`;
    const [own, peer] = direction === 'ingress' ? ['daddr', 'saddr'] : ['saddr', 'daddr'];
    const selected = `ip ${own} ${set(pods)}`;
    const rules = [
      `${selected} ip ${peer} ${set(allowed.peers)} tcp dport ${allowed.port} counter name allowed accept`,
      // Names are looked up, as every such policy lets its pods.
      ...(direction === 'egress' ? [`${selected} udp dport 53 accept`] : []),
      `${selected} ct direction original counter name denied reject`,
    ];
    const chain = `chain forward { type filter hook forward priority -10; ${rules.join('; ')}; }`;
    const counters = ['allowed', 'denied'].map((name) => `counter ${name} { }`).join('; ');
    await onNode(node, 'nft', `table inet ${table} { ${counters}; ${chain}; }`);
    return new PolicyEnforcer(node, table);
  }

  async counts(): Promise<Counts> {
    const text = await onNode(this.#node, 'nft', '-j', 'list', 'counters', 'table', 'inet', this.#table);
    const { nftables } = JSON.parse(text) as {
      nftables: { counter?: { name: keyof Counts; packets: number } }[];
    };
    const counts = { allowed: 0, denied: 0 };
    for (const { counter } of nftables) if (counter !== undefined) counts[counter.name] = counter.packets;
    return counts;
  }

  async remove(): Promise<void> {
    await onNode(this.#node, 'nft', 'delete', 'table', 'inet', this.#table);
  }
}

/** Addresses of the running pods of a label. */
export async function addressesOf(namespace: string, label: string): Promise<string[]> {
  const { items } = (await getJson('-n', namespace, 'pods', '-l', label)) as {
    items: { metadata: { deletionTimestamp?: string }; status: { podIP?: string } }[];
  };
  return items.flatMap(({ metadata, status: { podIP } }) =>
    metadata.deletionTimestamp === undefined && podIP !== undefined ? [podIP] : [],
  );
}
