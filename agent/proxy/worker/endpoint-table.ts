/**
 * The endpoints that this worker sends to: each has its load figures, and a small number per transport that verdicts
 * name. One that nobody has used for a while is forgotten, so the table follows the traffic and not the size of the mesh.
 */

import { type Candidate, type EndpointLoad, newEndpointLoad } from '../../../model/choose-endpoint.js';
import type { Snapshot, WorkloadView } from '../../../model/snapshot.js';
import type { EndpointOptions, Engine } from '../../../native/engine.js';
import type { LoggedFarEnd } from '../telemetry/logged-parties.js';
import type { EndpointWay } from './endpoint-way.js';

export interface EndpointEntry {
  readonly candidate: Candidate;
  readonly load: EndpointLoad;
  usedMs: number;
  /** The workload behind it in {@link EndpointEntry.viewSnapshot}; see {@link viewOf}. */
  view: WorkloadView | undefined;
  viewSnapshot: Snapshot | null;
  /** Number of the view's metrics label; -1 where it was not asked for yet. */
  labelId: number;
  /** Its names in verdicts and completions, by the transport that is spoken to it; 0 until the first use. */
  plaintextId: number;
  tlsId: number;
  /** What it must prove under `tlsId`. */
  tlsIdentity: string;
  /** By the place of the workload that calls; see {@link wayOf}. */
  readonly ways: (EndpointWay | undefined)[];
  /** For the access log. */
  farEnd: LoggedFarEnd | null;
}

/** The workload behind an endpoint; undefined where the mesh knows none. Looked up once per snapshot. */
export function viewOf(entry: EndpointEntry, snapshot: Snapshot): WorkloadView | undefined {
  if (entry.viewSnapshot !== snapshot) {
    entry.view = snapshot.workloads.get(entry.candidate.workloadUid);
    entry.viewSnapshot = snapshot;
    entry.labelId = -1;
  }
  return entry.view;
}

/** An entry is kept so long without use: longer than the engine keeps an idle connection to it. */
const idleMs = 120_000;

/** Ids wait so long before they name another endpoint: completions of the one before may still come. */
const minFreeIds = 1024;

export class EndpointTable {
  readonly #engine: Pick<Engine, 'setEndpoint' | 'removeEndpoint'>;
  readonly #byKey = new Map<string, EndpointEntry>();
  readonly #byId: (EndpointEntry | undefined)[] = [undefined];
  readonly #freeIds: number[] = [];
  /** One per definition: what was pooled under another is not used for it. */
  #generation = 0;
  /** Numbers of destinations for the engine's pools: equal for equal workloads. */
  readonly #destinations = new Map<string, number>();
  #nextDestination = 1;

  constructor(engine: Pick<Engine, 'setEndpoint' | 'removeEndpoint'>) {
    this.#engine = engine;
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** The entry of a candidate, made where there is none. Its use is noted. */
  entryOf(candidate: Candidate, nowMs: number): EndpointEntry {
    const known = this.#byKey.get(candidate.key);
    // The address may have gone to another workload since: then nothing that was pooled may be reused.
    const entry =
      known?.candidate.workloadUid === candidate.workloadUid ? known : this.#add(candidate, known);
    entry.usedMs = nowMs;
    return entry;
  }

  find(id: number): EndpointEntry | undefined {
    return this.#byId[id];
  }

  /** The number that verdicts name for plaintext to an endpoint; 1 and up. */
  plaintextId(entry: EndpointEntry): number {
    if (entry.plaintextId === 0) entry.plaintextId = this.#define(entry, 'plaintext', '');
    return entry.plaintextId;
  }

  /** The same for TLS; `identity` is the SPIFFE id that the endpoint must prove. */
  tlsId(entry: EndpointEntry, identity: string): number {
    if (entry.tlsId !== 0 && entry.tlsIdentity !== identity) {
      this.#release(entry.tlsId);
      entry.tlsId = 0;
    }
    if (entry.tlsId === 0) {
      entry.tlsId = this.#define(entry, 'tls', identity);
      entry.tlsIdentity = identity;
    }
    return entry.tlsId;
  }

  /** Forgets what was not used for long and has nothing under way. */
  sweep(nowMs: number): void {
    for (const entry of this.#byKey.values()) {
      if (entry.load.inFlight === 0 && nowMs - entry.usedMs > idleMs) {
        this.#byKey.delete(entry.candidate.key);
        this.#drop(entry);
      }
    }
    if (this.#byKey.size === 0) this.#destinations.clear();
  }

  #add(candidate: Candidate, replaced: EndpointEntry | undefined): EndpointEntry {
    if (replaced !== undefined) this.#drop(replaced);
    const entry: EndpointEntry = {
      candidate,
      load: newEndpointLoad(),
      usedMs: 0,
      view: undefined,
      viewSnapshot: null,
      labelId: -1,
      plaintextId: 0,
      tlsId: 0,
      tlsIdentity: '',
      ways: [],
      farEnd: null,
    };
    this.#byKey.set(candidate.key, entry);
    return entry;
  }

  #define(entry: EndpointEntry, transport: EndpointOptions['transport'], identity: string): number {
    const id = this.#freeIds.length > minFreeIds ? (this.#freeIds.shift() as number) : this.#byId.length;
    const { candidate } = entry;
    this.#generation += 1;
    this.#engine.setEndpoint(id, {
      address: candidate.address,
      port: candidate.port,
      destination: this.#destinationOf(candidate),
      generation: this.#generation,
      transport,
      identity,
    });
    this.#byId[id] = entry;
    return id;
  }

  #drop(entry: EndpointEntry): void {
    if (entry.plaintextId !== 0) this.#release(entry.plaintextId);
    if (entry.tlsId !== 0) this.#release(entry.tlsId);
    entry.plaintextId = 0;
    entry.tlsId = 0;
  }

  #release(id: number): void {
    this.#byId[id] = undefined;
    this.#freeIds.push(id);
    this.#engine.removeEndpoint(id);
  }

  #destinationOf(candidate: Candidate): number {
    const name = candidate.workloadUid === '' ? candidate.address : candidate.workloadUid;
    const known = this.#destinations.get(name);
    if (known !== undefined) return known;
    const destination = this.#nextDestination;
    this.#nextDestination += 1;
    this.#destinations.set(name, destination);
    return destination;
  }
}
