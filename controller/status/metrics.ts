/** The controller's Prometheus metrics (names in docs/telemetry.md). */
import { Counter, Gauge, Registry } from 'prom-client';
import type { StatusReport } from './status-report.js';

export interface ControllerMetrics {
  /** Sets all figures from a report. */
  update(report: StatusReport): void;
  /** The Prometheus text format. `cluster`: null for a folder. */
  text(counts: ControllerCounts, cluster: ClusterCounts | null): Promise<string>;
}

/** How the controller stands with a Kubernetes API. */
export interface ClusterCounts {
  /** Whether it writes statuses. */
  readonly leading: boolean;
  readonly statusesWritten: number;
  /** By kind. */
  readonly watches: ReadonlyMap<string, WatchCounts>;
}

export interface WatchCounts {
  readonly objects: number;
  /** Lists and watches that failed, and were tried again. */
  readonly failures: number;
}

/** What the controller counts as it goes. */
export interface ControllerCounts {
  /** Null where no certificates are issued. */
  readonly authority: IssuanceCounts | null;
  /** Connections and streams of nodes that were refused, by reason. */
  readonly nodeRefusals: { readonly counts: ReadonlyMap<string, number> };
}

/** What the certificate authority did since the start. */
export interface IssuanceCounts {
  readonly issued: number;
  /** By reason. */
  readonly refusals: ReadonlyMap<string, number>;
}

export function createMetrics(): ControllerMetrics {
  const registry = new Registry();
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const version = gauge('weft_controller_snapshot_version', 'version of the published configuration');
  const resources = gauge('weft_controller_resources', 'published resources', ['kind']);
  const problems = gauge('weft_controller_problems', 'problems of manifests', ['severity']);
  const nodes = gauge('weft_controller_nodes', 'known nodes', ['state']);
  const refusals = gauge(
    'weft_controller_refused_resources',
    'resources that agents refuse, summed over nodes',
  );
  const workloads = gauge('weft_controller_workloads', 'published workloads', ['transport']);
  return {
    update(report) {
      version.set(report.version);
      resources.reset();
      for (const { kind } of report.resources) resources.inc({ kind });
      for (const severity of ['error', 'warning'] as const) {
        const count = report.problems.filter((problem) => problem.severity === severity).length;
        problems.set({ severity }, count);
      }
      const connected = report.nodes.filter((node) => node.connected);
      const reached = connected.filter((node) => node.ackedVersion === report.version);
      nodes.set({ state: 'reached' }, reached.length);
      nodes.set({ state: 'behind' }, connected.length - reached.length);
      nodes.set({ state: 'disconnected' }, report.nodes.length - connected.length);
      for (const [transport, count] of Object.entries(report.transports)) workloads.set({ transport }, count);
      refusals.set(report.nodes.reduce((sum, node) => sum + node.refusals.length, 0));
    },
    text({ authority, nodeRefusals }, cluster) {
      if (cluster !== null) countCluster(registry, cluster);
      if (authority !== null) countCertificates(registry, authority);
      const name = 'weft_controller_node_refusals_total';
      countReasons(registry, name, 'connections and streams of nodes that were refused', nodeRefusals.counts);
      return registry.metrics();
    },
  };
}

function countCluster(registry: Registry, { leading, statusesWritten, watches }: ClusterCounts): void {
  const make = <Made extends Gauge | Counter>(
    Kind: new (options: { name: string; help: string; labelNames: string[]; registers: Registry[] }) => Made,
    name: string,
    help: string,
    labelNames: string[] = [],
  ) => {
    registry.removeSingleMetric(name);
    return new Kind({ name, help, labelNames, registers: [registry] });
  };
  make(Gauge, 'weft_controller_leader', '1 while this controller writes statuses').set(leading ? 1 : 0);
  make(Counter, 'weft_controller_statuses_written_total', 'statuses that were written').inc(statusesWritten);
  const objects = make(Gauge, 'weft_controller_watched_objects', 'objects of the cluster', ['kind']);
  const failures = make(
    Counter,
    'weft_controller_watch_failures_total',
    'lists and watches that failed and were tried again',
    ['kind'],
  );
  for (const [kind, counts] of watches) {
    objects.set({ kind }, counts.objects);
    failures.inc({ kind }, counts.failures);
  }
}

function countCertificates(registry: Registry, { issued, refusals }: IssuanceCounts): void {
  const name = 'weft_controller_certificates_issued_total';
  registry.removeSingleMetric(name);
  new Counter({ name, help: 'certificates that were issued', registers: [registry] }).inc(issued);
  const refused = 'weft_controller_certificate_refusals_total';
  countReasons(registry, refused, 'requests for certificates that were refused', refusals);
}

function countReasons(
  registry: Registry,
  name: string,
  help: string,
  counts: ReadonlyMap<string, number>,
): void {
  registry.removeSingleMetric(name);
  const counter = new Counter({ name, help, labelNames: ['reason'], registers: [registry] });
  for (const [reason, count] of counts) counter.inc({ reason }, count);
}
