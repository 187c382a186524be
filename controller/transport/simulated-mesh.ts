/** For tests: nodes with their own delays under {@link TransportPhases}, and what their agents would do to each other. */

import { applyDelta } from '../../model/apply-delta.js';
import { acceptRule, dialTransport } from '../../model/mtls.js';
import type { Resource } from '../../model/resource.js';
import { emptySnapshot, type Snapshot } from '../../model/snapshot.js';
import type { TransportPhase, Workload } from '../../model/workload.js';
import { makeResource } from '../resources/make-resource.js';
import { patienceMs } from './node-book.js';
import { TransportPhases } from './transport-phases.js';

type WorkloadResource = Extract<Resource, { kind: 'workload' }>;

/** A node: what its agent has in force, and how its workloads truly stand. */
interface SimulatedNode {
  snapshot: Snapshot;
  applied: number;
  connected: boolean;
  goneSinceMs: number;
  /** It was gone for so long that nobody waited for it, and has not heard since. */
  outdated: boolean;
  /** Enrolled and able to prove themselves. */
  readonly able: Set<string>;
  /** Enrolled. */
  readonly captured: Set<string>;
}

export class SimulatedMesh {
  readonly nodes = new Map<string, SimulatedNode>();
  readonly wanted = new Map<string, boolean>();
  nowMs = 0;
  #phases = new TransportPhases(0);
  #version = 1;
  #published: readonly WorkloadResource[] = [];
  /** What has been told of each workload, in order. */
  readonly told = new Map<string, TransportPhase[]>();

  constructor(nodes: readonly string[], workloads: readonly string[]) {
    for (const name of nodes) {
      this.nodes.set(name, {
        snapshot: emptySnapshot,
        applied: 0,
        connected: false,
        goneSinceMs: 0,
        outdated: false,
        able: new Set(),
        captured: new Set(),
      });
    }
    for (const uid of workloads) this.wanted.set(uid, true);
    this.#want();
  }

  /** Workloads go round over the nodes. */
  homeOf(uid: string): string {
    const names = [...this.nodes.keys()];
    return names[[...this.wanted.keys()].indexOf(uid) % names.length] ?? '';
  }

  phaseOf(uid: string): TransportPhase | undefined {
    return this.#published.find(({ name }) => name === uid)?.body.transport;
  }

  edit(uid: string, wanted: boolean): void {
    this.wanted.set(uid, wanted);
    this.#want();
  }

  connect(name: string): void {
    const node = this.#node(name);
    if (node.connected) return;
    node.connected = true;
    node.outdated ||= this.nowMs - node.goneSinceMs >= patienceMs;
    const held = [...node.snapshot.workloads.values()].map(
      ({ workload }) => [workload.uid, workload.transport] as const,
    );
    this.#phases.come(name, new Map(held), this.nowMs);
    this.#advance();
  }

  disconnect(name: string): void {
    const node = this.#node(name);
    if (!node.connected) return;
    node.connected = false;
    node.goneSinceMs = this.nowMs;
    this.#phases.gone(name, this.nowMs);
  }

  /** The newest configuration reaches a node, and capture follows. */
  deliver(name: string): void {
    const node = this.#node(name);
    if (!node.connected) return;
    const upserts = this.#published.map((resource) =>
      resource.body.node === name
        ? resource
        : makeResource('workload', resource.name, 'shop', { ...resource.body, capture: null }),
    );
    node.snapshot = applyDelta(node.snapshot, { upserts, removals: [] }, this.#version).snapshot;
    node.applied = this.#version;
    node.outdated = false;
    let released = false;
    for (const { body } of this.#published) {
      if (body.node !== name || body.capture !== null) continue;
      released ||= node.captured.delete(body.uid);
      node.able.delete(body.uid);
    }
    // Before the delta is acknowledged, as an agent must.
    if (released) this.report(name);
  }

  acknowledge(name: string): void {
    const node = this.#node(name);
    if (!node.connected || node.applied === 0) return;
    this.#phases.acked(name, node.applied);
    this.#advance();
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
    if (!node.connected) return;
    this.#phases.report(name, new Map([...node.captured].map((uid) => [uid, node.able.has(uid)] as const)));
    this.#advance();
  }

  pass(ms: number): void {
    this.nowMs += ms;
    this.#advance();
  }

  /** Another controller takes over with nothing but the manifests; streams have ended. */
  restart(): void {
    for (const node of this.nodes.values()) node.connected = false;
    this.#phases = new TransportPhases(this.nowMs);
    this.#want();
  }

  /** All that is under way comes to an end. */
  settle(): void {
    for (const name of this.nodes.keys()) this.connect(name);
    for (let round = 0; round < 12; round += 1) {
      for (const name of this.nodes.keys()) {
        this.deliver(name);
        this.enrol(name);
        this.acknowledge(name);
        this.report(name);
      }
      this.pass(1500);
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
    const taken: unknown[] = dialled === 'tls' ? ['secure', 'sniff'] : ['sniff', 'plaintext'];
    if (taken.includes(accepted)) return undefined;
    const phases = [source, here.snapshot.workloads.get(to), destination, there.snapshot.workloads.get(from)];
    const told = phases.map((view) => view?.workload.transport ?? 'unknown').join(', ');
    return `${from} dials ${to}: ${dialled}, which is taken as ${accepted} (${told})`;
  }

  #counts({ connected, goneSinceMs, applied, outdated }: SimulatedNode): boolean {
    return applied > 0 && !outdated && (connected || this.nowMs - goneSinceMs < patienceMs);
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
        mtls: { mode: 'permissive', ports: {} },
        transport: 'plaintext',
      };
      return makeResource('workload', uid, 'shop', body);
    });
  }

  #want(): void {
    this.#phases.want(this.#resources());
    this.#phases.advance(this.nowMs);
    this.#publish();
  }

  #advance(): void {
    if (this.#phases.advance(this.nowMs).changed) this.#publish();
  }

  #publish(): void {
    this.#version += 1;
    this.#published = this.#phases.inForce(this.#resources()) as WorkloadResource[];
    this.#phases.published(this.#version, this.nowMs);
    for (const { name, body } of this.#published) {
      const list = this.told.get(name) ?? [];
      if (list.at(-1) !== body.transport) list.push(body.transport);
      this.told.set(name, list);
    }
  }
}
