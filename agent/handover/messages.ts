/**
 * The messages between capture and proxy over their Unix socket (SOCK_SEQPACKET, one JSON object per packet, at
 * most {@link maxMessageBytes}; descriptors travel with SCM_RIGHTS in the order that a message names them).
 * The proxy asks, capture answers; capture checks the peer's credentials and every field, and holds everything
 * that must outlive a proxy.
 */
import type { AddressText, Family } from './values.js';

/**
 * Both ends must speak the same version; capture refuses another in its answer to hello. While a node is upgraded a proxy
 * of the version before talks to the new capture: a change that it would not understand needs a capture that serves both.
 */
export const handoverProtocol = 3;

export const maxMessageBytes = 128 * 1024;

/** SCM_MAX_FD: the kernel passes no more with one message. */
export const maxDescriptors = 253;

/** The longest secret of one vault entry, in characters. */
export const maxSecretLength = 64 * 1024;

/** Where the vault keeps what the node proves itself with. No workload has such a uid: a slash is in none. */
export const nodeSecretName = 'weft/node';

/** Kernel rules have at most so many destinations, and so many rules. */
export const maxRuleEntries = 65_536;

/** Names of namespaces (at most 63 characters) that fit one packet. */
export const maxNamespacesPerPacket = 1_900;

/** How one workload's network namespace is to be captured. */
export interface Enrolment {
  readonly workload: string;
  /** Name below capture's namespace folders; empty: capture knows it by the workload's uid. */
  readonly netns: string;
  readonly addresses: readonly AddressText[];
  readonly failMode: 'closed' | 'open';
  readonly udp: 'allow' | 'deny';
  readonly probePorts: readonly number[];
  /** L4 identity group that the workload belongs to (see kernel-rules); 0 is none. */
  readonly group: number;
}

/** What the kernel decides by itself; replaces all that was published before, atomically per map entry. */
export interface KernelRules {
  /** Longest prefix wins; `group` is that of the workloads at the address, 0 for none. */
  readonly destinations: readonly {
    readonly cidr: string;
    readonly action: 'direct' | 'deny' | 'proxy';
    readonly group: number;
  }[];
  /** `source` or `port` 0 means any; the most specific entry wins: (source, port), (source, 0), (0, port), (0, 0). */
  readonly rules: readonly {
    readonly source: number;
    readonly destination: number;
    readonly port: number;
    readonly verdict: 'allow' | 'deny';
  }[];
}

/**
 * How a proxy stands among those of its node. `fresh`: newly started. `leading`: it led under the capture before.
 * `superseded`: another one has taken the lead from it. `draining`: it ends soon.
 */
export const proxyStandings = ['fresh', 'leading', 'superseded', 'draining'] as const;
export type ProxyStanding = (typeof proxyStandings)[number];

export type ProxyMessage =
  | { readonly type: 'hello'; readonly protocol: number; readonly standing: ProxyStanding }
  /** The controller has answered: this proxy can lead in place of the one that does. */
  | { readonly type: 'claim-lead' }
  /** This proxy drains: another one shall lead. */
  | { readonly type: 'resign-lead' }
  | { readonly type: 'enrol'; readonly enrolment: Enrolment }
  | { readonly type: 'withdraw'; readonly workload: string }
  /** Ask for ready-made, unconnected, non-blocking TCP sockets made in the workload's namespace. */
  | { readonly type: 'sockets'; readonly workload: string; readonly family: Family; readonly count: number }
  /** `more`: the rest follows in further messages of this type; all of it comes into force with the last. */
  | { readonly type: 'kernel-rules'; readonly rules: KernelRules; readonly more?: boolean }
  | { readonly type: 'counters' }
  /**
   * Hold new pods of these Kubernetes namespaces until they are enrolled; replaces all before. `more` as with rules.
   */
  | { readonly type: 'hold'; readonly namespaces: readonly string[]; readonly more: boolean }
  /**
   * Keep a secret of a workload in capture's memory, in place of the one before, until it is dropped or the workload
   * is withdrawn: an identity outlives its proxy so. Capture does not read it. Base64.
   */
  | { readonly type: 'vault-put'; readonly workload: string; readonly secret: string }
  | { readonly type: 'vault-get'; readonly workload: string }
  | { readonly type: 'vault-drop'; readonly workload: string };

/** Every type that a proxy sends; capture names one when it refuses. */
export const proxyMessageTypes = [
  'hello',
  'claim-lead',
  'resign-lead',
  'enrol',
  'withdraw',
  'sockets',
  'kernel-rules',
  'counters',
  'hold',
  'vault-put',
  'vault-get',
  'vault-drop',
] as const satisfies readonly ProxyMessage['type'][];

/** One listening socket that capture made in a pod's namespace. */
export interface Listener {
  readonly direction: 'outbound' | 'inbound';
  readonly family: Family;
}

/** What one enrolled pod's kernel counters say. */
export interface PodCounters {
  readonly workload: string;
  /** TCP connections that the pod opened and that the kernel steered to the proxy. */
  readonly steered: number;
  /** TCP connections that went past the proxy on purpose: direct ranges, loopback, fail-open. */
  readonly direct: number;
  /** TCP connections that arrived for the pod and were handed to the proxy. */
  readonly arrived: number;
  /** TCP connections that arrived and were passed to the application: probes, fail-open. */
  readonly passed: number;
}

export type CaptureMessage =
  /** Descriptors: the notes map (sk_storage). `leading` follows, at once or later. */
  | { readonly type: 'welcome'; readonly protocol: number }
  /**
   * Unasked: this proxy leads, and asks for all that shall be in force. `enrolled` lists workloads kept from an earlier
   * proxy, `held` those of them that wait for their first enrolment.
   */
  | { readonly type: 'leading'; readonly enrolled: readonly string[]; readonly held: readonly string[] }
  /** Unasked: another proxy leads. What this one holds it may go on serving; it enrols and publishes no more. */
  | { readonly type: 'superseded' }
  /** Unasked, to the one that leads: a new pod waits for its enrolment. */
  | { readonly type: 'held'; readonly workload: string }
  | { readonly type: 'hold-applied' }
  /** The pod's sandbox is not made yet; `held` comes when it is. Ask again meanwhile: not every runtime tells. */
  | { readonly type: 'awaited'; readonly workload: string }
  /** Descriptors: one per listener, in order. Also the answer to an enrolment that already stood. */
  | { readonly type: 'enrolled'; readonly workload: string; readonly listeners: readonly Listener[] }
  | { readonly type: 'withdrawn'; readonly workload: string }
  /** Descriptors: the sockets. */
  | { readonly type: 'sockets'; readonly workload: string; readonly family: Family }
  | { readonly type: 'rules-applied' }
  | {
      readonly type: 'counters';
      /** Refusals by the kernel, by reason code. */
      readonly refusals: Readonly<Record<number, number>>;
      readonly pods: readonly PodCounters[];
    }
  | { readonly type: 'vault-kept'; readonly workload: string }
  /** `secret` is null where nothing is kept. */
  | { readonly type: 'vault-entry'; readonly workload: string; readonly secret: string | null }
  | { readonly type: 'vault-dropped'; readonly workload: string }
  /** The request could not be done; nothing of it is in force. `workload` where the request named one. */
  | {
      readonly type: 'refused';
      readonly request: ProxyMessage['type'];
      readonly workload: string | undefined;
      readonly message: string;
    };
