/** What this worker remembers of its own traffic to one service port, across snapshots. */
import type { Candidate, ChoiceState, EndpointLoad, Rotation } from '../../../model/choose-endpoint.js';
import { newRetryBudget, type RetryBudget } from '../../../model/retry-plan.js';
import { isOver, type Stay } from '../../../model/session-affinity.js';
import type { ServicePortView } from '../../../model/snapshot.js';
import type { LabelTable } from '../telemetry/label-table.js';
import type { SeriesMemo } from '../telemetry/series.js';
import type { AttemptCounts, TrafficCounters } from '../telemetry/traffic-counters.js';
import type { EndpointTable } from './endpoint-table.js';

export interface ServiceTraffic extends ChoiceState, SeriesMemo {
  readonly budget: RetryBudget;
  readonly attempts: AttemptCounts;
  /** Label number of the service without a route. */
  readonly targetId: number;
  /** By the client's uid; only of a service with session affinity. */
  readonly stays: Map<string, Stay>;
  /** How long a stay lasts. */
  affinityMs: number;
  usedMs: number;
  /** It was forgotten; whoever still knows it asks anew. */
  forgotten: boolean;
}

const idleMs = 600_000;

export class ServiceTrafficTable {
  readonly #endpoints: EndpointTable;
  readonly #counters: TrafficCounters;
  readonly #labels: LabelTable;
  readonly #byKey = new Map<string, ServiceTraffic>();
  /** The same by the snapshot's own object, so that a request builds no key. */
  #byView = new WeakMap<ServicePortView, ServiceTraffic>();
  #nowMs = 0;

  constructor(endpoints: EndpointTable, counters: TrafficCounters, labels: LabelTable) {
    this.#endpoints = endpoints;
    this.#counters = counters;
    this.#labels = labels;
  }

  of(view: ServicePortView, nowMs: number): ServiceTraffic {
    const known = this.#byView.get(view);
    if (known !== undefined) return this.touch(known, nowMs);
    const key = `${view.serviceKey}:${view.port.port}`;
    const traffic = this.#byKey.get(key) ?? this.#create(view);
    this.#byKey.set(key, traffic);
    this.#byView.set(view, traffic);
    return this.touch(traffic, nowMs);
  }

  /** Notes that it is used now. */
  touch(traffic: ServiceTraffic, nowMs: number): ServiceTraffic {
    this.#nowMs = nowMs;
    traffic.usedMs = nowMs;
    return traffic;
  }

  /** Forgets what was not used for long. */
  sweep(nowMs: number): void {
    for (const [key, traffic] of this.#byKey) {
      for (const [client, stay] of traffic.stays) {
        if (isOver(stay, traffic.affinityMs, nowMs)) traffic.stays.delete(client);
      }
      if (traffic.stays.size > 0 || nowMs - traffic.usedMs <= idleMs) continue;
      this.#byKey.delete(key);
      traffic.forgotten = true;
      this.#byView = new WeakMap();
    }
  }

  #create(view: ServicePortView): ServiceTraffic {
    const rotation: Rotation = { next: 0 };
    return {
      rotation,
      budget: newRetryBudget(),
      attempts: this.#counters.attemptsOf(view.service.namespace, view.service.name),
      targetId: this.#labels.targetId(view.service.name, 'default'),
      series: null,
      stays: new Map(),
      affinityMs: 0,
      usedMs: 0,
      forgotten: false,
      loadOf: (candidate: Candidate): EndpointLoad => this.#endpoints.entryOf(candidate, this.#nowMs).load,
    };
  }
}
