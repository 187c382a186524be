/** For tests: controllers and nodes, each with delays of its own, and what the nodes' agents would do to each other. */

import { applyDelta } from '../../model/apply-delta.js';
import { acceptRule, dialTransport } from '../../model/mtls.js';
import type { Resource } from '../../model/resource.js';
import { emptySnapshot, type Snapshot } from '../../model/snapshot.js';
import type { MtlsMode, TransportPhase, Workload } from '../../model/workload.js';
import { makeResource } from '../resources/make-resource.js';
import { patienceMs } from './node-book.js';
import { type SimulatedLease, SimulatedReplica } from './simulated-replica.js';

/** A node: what its agent has in force, and how its workloads truly stand. */
interface SimulatedNode {
  snapshot: Snapshot;
  /** Version of the replica that it is connected to; 0: nothing has come on this stream. */
  applied: number;
  replica: SimulatedReplica | null;
  /** For how long those who decide have heard nothing of it, and had nothing for it. */
  unheardMs: number;
  /** It was unheard for so long that nobody waited for it, and has not heard since. */
  outdated: boolean;
  /** Enrolled and able to prove themselves. */
  readonly able: Set<string>;
  /** Enrolled. */
  readonly captured: Set<string>;
}

/** Time passes in steps of so much. */
const stepMs = 250;

export interface SimulatedMeshOptions {
  /** Absent: one that leads always. */
  readonly replicas?: readonly string[];
  readonly mode?: MtlsMode;
  readonly random?: () => number;
}

export class SimulatedMesh {
  readonly nodes = new Map<string, SimulatedNode>();
  readonly wanted = new Map<string, boolean>();
  readonly replicas: readonly SimulatedReplica[];
  nowMs = 0;
  readonly #lease: SimulatedLease | null;
  readonly #mode: MtlsMode;
  readonly #random: () => number;
  #left: { readonly name: string; readonly replica: SimulatedReplica }[] = [];
  /** What has been told of each workload by the one controller, in order. */
  readonly told = new Map<string, TransportPhase[]>();

  constructor(nodes: readonly string[], workloads: readonly string[], options: SimulatedMeshOptions = {}) {
    const { replicas, mode = 'permissive', random = () => 0.99 } = options;
    this.#mode = mode;
    this.#random = random;
    this.#lease = replicas === undefined ? null : { holder: null, term: 0, renewedMs: 0 };
    for (const name of nodes) {
      this.nodes.set(name, {
        snapshot: emptySnapshot,
        applied: 0,
        replica: null,
        unheardMs: 0,
        outdated: false,
        able: new Set(),
        captured: new Set(),
      });
    }
    for (const uid of workloads) this.wanted.set(uid, true);
    this.replicas = (replicas ?? ['only']).map(
      (name) =>
        new SimulatedReplica(name, this.#lease, 0, (published) => {
          if (this.#lease === null) this.#note(published);
        }),
    );
    for (const replica of this.replicas) replica.want(this.#resources());
  }

  /** Workloads go round over the nodes. */
  homeOf(uid: string): string {
    const names = [...this.nodes.keys()];
    return names[[...this.wanted.keys()].indexOf(uid) % names.length] ?? '';
  }

  /** As the leader has it, or whoever is asked first. */
  phaseOf(uid: string): TransportPhase | undefined {
    const leader = this.replicas.find(({ leads }) => leads) ?? this.replicas[0];
    return leader?.published.find(({ name }) => name === uid)?.body.transport;
  }

  /** The manifests change; replicas that watch see it when they are told ({@link see}). */
  edit(uid: string, wanted: boolean): void {
    this.wanted.set(uid, wanted);
    if (this.#lease === null) this.see(this.replicas[0] as SimulatedReplica);
  }

  see(replica: SimulatedReplica): void {
    if (replica.alive && replica.connected) replica.want(this.#resources());
  }

  /** A new process takes the place of one that died; streams to that one have ended. */
  revive(replica: SimulatedReplica): void {
    if (replica.alive) return;
    for (const node of this.nodes.values()) if (node.replica === replica) node.replica = null;
    this.#left = this.#left.filter((one) => one.replica !== replica);
    replica.restart();
  }

  connect(name: string, replica = this.replicas[0] as SimulatedReplica): void {
    const node = this.#node(name);
    if (node.replica !== null || !replica.mayServe) return;
    node.replica = replica;
    node.applied = 0;
    const held = [...node.snapshot.workloads.values()].flatMap(({ workload }) =>
      workload.transport === 'plaintext' ? [] : [[workload.uid, workload.transport] as const],
    );
    replica.welcomed.delete(name);
    if (replica.transport.come(name, new Map(held), this.nowMs)) replica.welcomed.add(name);
  }

  disconnect(name: string): void {
    this.leave(name);
    this.notice();
  }

  /** Its agent gives the stream up; the controller does not know before it is made to {@link notice}. */
  leave(name: string): void {
    const node = this.#node(name);
    if (node.replica !== null) this.#left.push({ name, replica: node.replica });
    node.replica = null;
  }

  /** Controllers notice which agents have left. */
  notice(): void {
    for (const { name, replica } of this.#left.splice(0)) {
      // One that has come again since has ended its old stream by that.
      if (this.#node(name).replica === replica) continue;
      replica.transport.gone(name, this.nowMs);
      replica.welcomed.delete(name);
    }
  }

  /** The newest configuration reaches a node, and capture follows. */
  deliver(name: string): void {
    const node = this.#node(name);
    const { replica } = node;
    if (replica === null || !replica.alive || !replica.welcomed.has(name)) return;
    const upserts = replica.published.map((resource) =>
      resource.body.node === name
        ? resource
        : makeResource('workload', resource.name, 'shop', { ...resource.body, capture: null }),
    );
    const version = Math.max(node.snapshot.version + 1, replica.version);
    node.snapshot = applyDelta(node.snapshot, { upserts, removals: [] }, version).snapshot;
    node.applied = replica.version;
    if (replica.heard) node.outdated = false;
    let released = false;
    for (const { body } of replica.published) {
      if (body.node !== name || body.capture !== null) continue;
      released ||= node.captured.delete(body.uid);
      node.able.delete(body.uid);
    }
    // Before the delta is acknowledged, as an agent must.
    if (released) this.report(name);
  }

  acknowledge(name: string): void {
    const { replica, applied } = this.#node(name);
    if (replica === null || !replica.alive || applied === 0) return;
    replica.transport.acked(name, applied);
    replica.transport.advance(this.nowMs);
  }

  /** Capture enrols what the node's configuration wants, and identities arrive. */
  enrol(name: string): void {
    const node = this.#node(name);
    for (const { workload } of node.snapshot.workloads.values()) {
      if (workload.capture === null) continue;
      if (node.captured.has(workload.uid)) node.able.add(workload.uid);
      node.captured.add(workload.uid);
    }
  }

  report(name: string): void {
    const node = this.#node(name);
    if (node.replica === null || !node.replica.alive) return;
    const workloads = new Map([...node.captured].map((uid) => [uid, node.able.has(uid)] as const));
    node.replica.transport.report(name, workloads);
    node.replica.transport.advance(this.nowMs);
  }

  pass(ms: number): void {
    for (let left = ms; left > 0 || ms === 0; left -= stepMs) {
      const step = Math.min(left, stepMs);
      this.nowMs += step;
      for (const replica of this.replicas) replica.pass(this.nowMs, this.#random);
      for (const node of this.nodes.values()) this.#age(node, step);
      for (const [name, { replica }] of this.nodes) {
        if (replica !== null && !replica.mayServe) this.disconnect(name);
      }
      if (ms === 0) break;
    }
  }

  /** Another controller takes over with nothing but the manifests; streams have ended. */
  restart(): void {
    for (const node of this.nodes.values()) node.replica = null;
    for (const replica of this.replicas) {
      replica.restart();
      replica.want(this.#resources());
    }
  }

  /** All that is under way comes to an end. */
  settle(): void {
    for (const replica of this.replicas) {
      replica.connected = true;
      replica.joined = true;
      this.revive(replica);
      this.see(replica);
    }
    this.notice();
    for (let round = 0; round < (this.#lease === null ? 14 : 30); round += 1) {
      const [...able] = this.replicas.filter(({ mayServe }) => mayServe);
      for (const [index, name] of [...this.nodes.keys()].entries()) {
        if (able.length > 0) this.connect(name, able[index % able.length]);
        this.deliver(name);
        this.enrol(name);
        this.acknowledge(name);
        this.report(name);
      }
      this.pass(this.#lease === null ? 1500 : 6000);
    }
  }

  /** The first pair whose agents do not understand each other, as text; undefined where all do. */
  misunderstanding(): string | undefined {
    for (const from of this.wanted.keys()) {
      for (const to of this.wanted.keys()) {
        const text = from === to ? undefined : this.#misunderstanding(from, to);
        if (text !== undefined) return text;
      }
    }
    return undefined;
  }

  #misunderstanding(from: string, to: string): string | undefined {
    const [here, there] = [this.#node(this.homeOf(from)), this.#node(this.homeOf(to))];
    if (!this.#counts(here) || !this.#counts(there)) return undefined;
    const source = here.snapshot.workloads.get(from);
    const destination = there.snapshot.workloads.get(to);
    if (source === undefined || destination === undefined) return undefined;
    // Whoever is captured and has lost its identity cannot be understood; its own test speaks of it.
    const lost = ({ captured, able }: SimulatedNode, uid: string) => captured.has(uid) && !able.has(uid);
    if (lost(here, from) && source.workload.transport !== 'plaintext') return undefined;
    if (lost(there, to) && destination.workload.transport !== 'plaintext') return undefined;
    const dialled = here.captured.has(from)
      ? dialTransport(source, here.able.has(from), here.snapshot.workloads.get(to), 80)
      : 'plaintext';
    const accepted = there.captured.has(to)
      ? acceptRule(destination, there.able.has(to), 80, there.snapshot.workloads.get(from))
      : 'plaintext';
    // Refused before a byte reaches the application: strict ports do that to whoever cannot prove itself yet.
    const refused = typeof accepted === 'number' || typeof dialled === 'number';
    const unproven = refused || !here.captured.has(from);
    if (this.#mode === 'strict' && unproven) return undefined;
    const taken: unknown[] = dialled === 'tls' ? ['secure', 'sniff'] : ['sniff', 'plaintext'];
    if (taken.includes(accepted)) return undefined;
    const phases = [source, here.snapshot.workloads.get(to), destination, there.snapshot.workloads.get(from)];
    const told = phases.map((view) => view?.workload.transport ?? 'unknown').join(', ');
    return `${from} dials ${to}: ${dialled}, which is taken as ${accepted} (${told})`;
  }

  #counts({ applied, unheardMs, outdated, snapshot }: SimulatedNode): boolean {
    return (applied > 0 || snapshot.version > 0) && !outdated && unheardMs < patienceMs;
  }

  #age(node: SimulatedNode, ms: number): void {
    // One that may not decide for a moment waits for nobody longer either.
    const decides = this.replicas.some(({ alive, transport }) => alive && transport.standing === 'leading');
    const { replica } = node;
    const welcome = replica?.welcomed.has(this.#nameOf(node));
    if (replica?.alive === true && replica.heard && welcome) node.unheardMs = 0;
    else if (decides) node.unheardMs += ms;
    node.outdated ||= node.unheardMs >= patienceMs;
  }

  #nameOf(node: SimulatedNode): string {
    return [...this.nodes].find(([, one]) => one === node)?.[0] ?? '';
  }

  #note(published: readonly { readonly name: string; readonly body: Workload }[]): void {
    for (const { name, body } of published) {
      const list = this.told.get(name) ?? [];
      if (list.at(-1) !== body.transport) list.push(body.transport);
      this.told.set(name, list);
    }
  }

  #node(name: string): SimulatedNode {
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`no node ${name}`);
    return node;
  }

  #resources(): Resource[] {
    return [...this.wanted].map(([uid, wanted], index) => {
      const body: Workload = {
        kind: 'unit',
        uid,
        name: uid,
        namespace: 'shop',
        serviceAccount: uid,
        trustDomain: 'mesh.test',
        cluster: '',
        network: '',
        node: this.homeOf(uid),
        locality: { region: '', zone: '' },
        labels: {},
        addresses: [`10.0.0.${index + 1}`],
        ports: [],
        limits: { connections: 0, pendingRequests: 0, bufferedBytes: 0, cpuShare: 0 },
        captured: wanted,
        capture: wanted ? { netns: uid, failMode: 'closed', udp: 'allow', probePorts: [] } : null,
        mtls: { mode: this.#mode, ports: {} },
        transport: 'plaintext',
      };
      return makeResource('workload', uid, 'shop', body);
    });
  }
}
