/**
 * This controller among its replicas: whoever holds the lease decides about transport phases, the others follow it (see
 * controller/transport). Joins the lease, the link to the holder, and the relay for others.
 */
import type { ControllerCertificate, ServerIdentity } from '../authority/controller-certificate.js';
import type { LeaseHolder, SeenLease } from '../kubernetes/hold-lease.js';
import type { AddedService } from '../publish/config-server.js';
import type { NodeStatus } from '../publish/publisher.js';
import { describeError, type Log } from '../status/log.js';
import type { TransportControl } from '../transport/transport-control.js';
import { HolderWatch, silentMs } from '../transport/watch-holder.js';
import { HolderLink } from './holder-link.js';
import { NodeStandings, ToldStandings } from './node-standings.js';
import { RelayService } from './relay-service.js';
import { decodeFromHolder, encodeForHolder, encodeStanding } from './replica-messages.js';

export interface ReplicationParts {
  readonly lease: LeaseHolder;
  readonly log: Log;
  readonly transport: TransportControl;
  /** Nodes that are connected to this replica, or were. */
  readonly ownNodes: () => NodeStatus[];
  /** Of what this replica publishes. */
  readonly version: () => number;
  /** Null before the first configuration. */
  readonly trustDomain: () => string | null;
  /** Milliseconds that never go back. */
  readonly now: () => number;
  /** This replica holds the lease, or no more. */
  readonly onLead: (leads: boolean) => void;
  /** Agents must go to another replica. */
  readonly onCutOff: () => void;
  /** How nodes stand at other replicas has changed. */
  readonly onChange: () => void;
}

/** Changes of how nodes stand within so long of each other are told as one. */
const gatherMs = 200;
/** How often is looked whether agents may stay. */
const watchMs = 500;

export class Replication {
  readonly #parts: ReplicationParts;
  readonly #relay: RelayService;
  readonly #watch = new HolderWatch();
  readonly #standings = new NodeStandings();
  readonly #told = new ToldStandings();
  #link: HolderLink | null = null;
  #send: ((standing: ReturnType<typeof encodeStanding>) => void) | null = null;
  #identity: ServerIdentity | null = null;
  #certificate: ControllerCertificate | undefined;
  #term = 0;
  #served = false;
  #timer: NodeJS.Timeout | undefined;
  #watching: NodeJS.Timeout | undefined;
  #trouble = '';

  constructor(parts: ReplicationParts) {
    this.#parts = parts;
    const { transport, log, onChange } = parts;
    this.#relay = new RelayService(
      {
        onMessage: (replica, message, send) => transport.fromReplica(replica, message, send),
        onStanding: (replica, standing) => {
          this.#standings.put(replica, standing);
          onChange();
        },
        onGone: (replica) => {
          this.#standings.drop(replica);
          transport.replicaGone(replica);
          onChange();
        },
      },
      log,
    );
  }

  /** What other replicas may call. */
  get service(): AddedService {
    return this.#relay.service;
  }

  /** Agents may come and stay. */
  get mayServe(): boolean {
    return this.#watch.mayServe(this.#parts.now());
  }

  get leads(): boolean {
    return this.#term > 0;
  }

  /** Other replicas that this one decides for. */
  get followers(): number {
    return this.#relay.size;
  }

  /** How all nodes stand, as far as this replica is told. */
  nodes(): NodeStatus[] {
    return this.#standings.all(this.#parts.ownNodes(), this.#parts.version());
  }

  /**
   * Begins to look at the lease. `address`: where other replicas reach this one, empty where they do not; `certify`: how
   * this one proves to be a replica, absent where there is no authority.
   */
  start(
    address: string,
    certify?: (take: (identity: ServerIdentity) => void) => ControllerCertificate,
  ): void {
    this.#certificate = certify?.((identity) => {
      this.#identity = identity;
    });
    this.#watching = setInterval(() => this.#watchOver(), watchMs).unref();
    void this.refresh().then(() =>
      this.#parts.lease.run({
        address,
        reluctanceMs: () => this.#watch.reluctanceMs(this.#parts.now()),
        onChange: (held, term) => this.#leaseChanged(held, term),
        onLook: (seen) => this.#looked(seen),
      }),
    );
  }

  /** Renews what is due; call it often. */
  async refresh(): Promise<void> {
    await this.#certificate?.refresh();
  }

  /** Something about this replica's nodes may have changed. */
  changed(): void {
    if (this.#send !== null) this.#timer ??= setTimeout(() => this.#tellStandings(), gatherMs).unref();
  }

  /** Gives the lease up and sends the other replicas away, who look for the next holder at once. */
  async stop(): Promise<void> {
    clearInterval(this.#watching);
    clearTimeout(this.#timer);
    await this.#parts.lease.stop();
    this.#relay.end('the holder of the lease is stopping');
    this.#link?.close();
  }

  #leaseChanged(held: boolean, term: number): void {
    const { transport, onLead, log, now } = this.#parts;
    if (held) {
      // Another may have decided since: what this controller knew is not the newest any more.
      if (this.#term !== 0 && this.#term !== term) this.#stepDown();
      this.#unlink();
      this.#term = term;
      this.#watch.begun();
      this.#watch.inTouch(true, now());
      transport.lead(term);
      log.info('holds the lease: decides about transport, writes statuses', { term });
    } else log.info('does not hold the lease, or could not renew it: decides nothing');
    onLead(held);
  }

  #looked({ own, holder, address, unchangedMs }: SeenLease): void {
    this.#watchOver();
    if (own) return;
    if (this.#term !== 0) this.#stepDown();
    if (holder === '' || unchangedMs >= silentMs) this.#watch.sawNobody(this.#parts.now());
    if (this.#link !== null && this.#link.address !== address) this.#unlink();
    if (this.#link === null && address !== '') this.#connect(address);
  }

  #stepDown(): void {
    this.#term = 0;
    this.#parts.transport.stepDown();
    this.#watch.inTouch(false, this.#parts.now());
    this.#standings.clear();
    this.#relay.end('another replica holds the lease');
  }

  #connect(address: string): void {
    const { transport, log, trustDomain, lease } = this.#parts;
    const domain = trustDomain();
    if (this.#identity === null || domain === null) return;
    let answered = false;
    const link = new HolderLink({
      address,
      identity: this.#identity,
      trustDomain: domain,
      onOpen: (send) => {
        transport.link((message) => send(encodeForHolder(message)));
        this.#told.reset();
        this.#send = (standing) => send({ standing });
        this.#tellStandings();
      },
      onMessage: (message) => {
        transport.fromHolder(decodeFromHolder(message));
        if (answered) return;
        answered = true;
        this.#trouble = '';
        this.#watch.begun();
        this.#watch.inTouch(true, this.#parts.now());
        log.info('follows the holder of the lease', { holder: address });
      },
      onEnd: (error) => {
        if (this.#link !== link) return;
        this.#say(address, error);
        this.#unlink();
        // It may have given the lease up. One that cannot be reached is tried again at the usual pace.
        if (answered) lease.hurry();
      },
    });
    this.#link = link;
  }

  #unlink(): void {
    if (this.#link === null) return;
    this.#link.close();
    this.#link = null;
    this.#send = null;
    this.#parts.transport.unlink();
    this.#watch.inTouch(false, this.#parts.now());
  }

  #watchOver(): void {
    const serves = this.mayServe;
    if (this.#served && !serves) {
      this.#parts.log.warn('out of touch with the holder of the lease: agents must go to another replica');
      this.#parts.onCutOff();
    }
    this.#served = serves;
  }

  #tellStandings(): void {
    this.#timer = undefined;
    const { ownNodes, version } = this.#parts;
    const send = this.#send;
    if (send === null) return;
    for (const standing of this.#told.news(ownNodes(), version())) send(encodeStanding(standing));
  }

  #say(holder: string, error: unknown): void {
    const message = `the holder of the lease at ${holder} is not reached: ${describeError(error)}`;
    if (message !== this.#trouble) this.#parts.log.warn(message);
    this.#trouble = message;
  }
}
