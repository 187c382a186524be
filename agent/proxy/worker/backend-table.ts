/** What this worker keeps with routes' backends, so that a request finds all of it in one place. */
import type { CompiledBackend, CompiledRule } from '../../../model/compile-route.js';
import type { ServicePortView, Snapshot } from '../../../model/snapshot.js';
import type { LabelTable } from '../telemetry/label-table.js';
import type { Series, SeriesMemo } from '../telemetry/series.js';
import type { ServiceTraffic, ServiceTrafficTable } from './service-traffic.js';

/** A backend as one snapshot has it. */
export class BackendUse implements SeriesMemo {
  readonly snapshot: Snapshot;
  readonly port: ServicePortView;
  readonly traffic: ServiceTraffic;
  /** Label number of its service and its route's rule. */
  readonly targetId: number;
  series: Series | null = null;

  constructor(snapshot: Snapshot, port: ServicePortView, traffic: ServiceTraffic, targetId: number) {
    this.snapshot = snapshot;
    this.port = port;
    this.traffic = traffic;
    this.targetId = targetId;
  }
}

export class BackendTable {
  readonly #traffic: ServiceTrafficTable;
  readonly #labels: LabelTable;

  constructor(traffic: ServiceTrafficTable, labels: LabelTable) {
    this.#traffic = traffic;
    this.#labels = labels;
  }

  /** null where the backend's service or port does not exist or may not be used. */
  find(rule: CompiledRule, backend: CompiledBackend, snapshot: Snapshot, nowMs: number): BackendUse | null {
    const { kept } = backend;
    if (kept instanceof BackendUse && kept.snapshot === snapshot && !kept.traffic.forgotten) return kept;
    const service = backend.serviceKey === null ? undefined : snapshot.services.get(backend.serviceKey);
    const port = service?.ports.get(backend.port);
    if (port === undefined) return null;
    const targetId = this.#labels.targetId(port.service.name, rule.label);
    const use = new BackendUse(snapshot, port, this.#traffic.of(port, nowMs), targetId);
    backend.kept = use;
    return use;
  }
}
