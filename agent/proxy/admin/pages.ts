/** What the admin socket and the metrics port answer. */

import { existsSync } from 'node:fs';
import { release } from 'node:os';
import { countTransports } from '../../../model/count-transports.js';
import { mergeEdges } from '../../../model/edge.js';
import type { Resource } from '../../../model/resource.js';
import type { Snapshot } from '../../../model/snapshot.js';
import type { NodeProxy } from '../control/node-proxy.js';
import { collectIdentities, showCertificates } from '../identity/report-identities.js';
import { collectControl, renderMetrics, sumStats } from '../telemetry/scrape-metrics.js';
import { answerWhy } from './answer-why.js';
import { type Answer, type Handlers, jsonAnswer } from './serve-http.js';

export interface PagesParts {
  readonly proxy: NodeProxy;
  readonly node: string;
  readonly version: string;
}

const metricsType = 'text/plain; version=0.0.4; charset=utf-8';

export function metricsPages({ proxy, node, version }: PagesParts): Handlers {
  let served = false;
  return {
    '/metrics': async (): Promise<Answer> => {
      const [kernel, reports] = await Promise.all([proxy.kernelMetrics(), proxy.reports('none')]);
      const control = collectControl({
        node,
        version,
        snapshot: proxy.snapshot,
        controllerConnected: proxy.readiness().controller,
        resourceRefusals: proxy.resourceRefusals,
      });
      const { identities: manager, clock } = proxy;
      const identities = manager && clock && collectIdentities(manager, clock);
      const threads = [control, identities ?? [], kernel, ...reports.map((report) => report.metrics)];
      return { status: 200, type: metricsType, body: await renderMetrics(threads) };
    },
    // A proxy that has once served all stays available while a new pod waits for it: a DaemonSet takes down what is not,
    // without waiting for its successor. How it stands now the body says.
    '/ready': () => {
      const readiness = proxy.readiness();
      served ||= readiness.ready;
      return jsonAnswer(served ? 200 : 503, readiness);
    },
  };
}

export function adminPages(parts: PagesParts): Handlers {
  const { proxy, node, version } = parts;
  return {
    ...metricsPages(parts),
    '/config': () => {
      const { snapshot } = proxy;
      return jsonAnswer(200, { version: snapshot.version, resources: listResources(snapshot) });
    },
    '/connections': async () => {
      const reports = await proxy.reports('connections');
      return jsonAnswer(
        200,
        reports.flatMap((report) => report.connections),
      );
    },
    // `?ends`: both ends apart, so that those of several nodes can be put together.
    '/edges': async (query) => {
      const ends = (await proxy.reports('edges')).map((report) => report.edges);
      if (!query.has('ends')) return jsonAnswer(200, mergeEdges(ends));
      return jsonAnswer(200, {
        outbound: ends.flatMap(({ outbound }) => outbound),
        inbound: ends.flatMap(({ inbound }) => inbound),
      });
    },
    '/workloads': () => jsonAnswer(200, listWorkloads(proxy, node)),
    '/stats': async () => {
      const reports = await proxy.reports('none');
      return jsonAnswer(200, {
        node,
        version,
        ...proxy.readiness(),
        transports: countTransports([...proxy.snapshot.workloads.values()].map(({ workload }) => workload)),
        host: { kernel: release(), btf: existsSync('/sys/kernel/btf/vmlinux'), nowMs: Date.now() },
        clockSkewMs: proxy.clock?.skewMs ?? null,
        engine: sumStats(reports.map((report) => report.stats)),
        workers: reports.map(({ worker, stats }) => ({ worker, ...stats })),
      });
    },
    '/certificates': () =>
      jsonAnswer(200, {
        on: proxy.identities !== undefined,
        certificates: showCertificates(proxy.certificates, (uid) => {
          const workload = proxy.snapshot.workloads.get(uid)?.workload;
          return workload === undefined ? '' : `${workload.namespace}/${workload.name}`;
        }),
      }),
    '/why': (query) =>
      answerWhy(
        () => proxy.snapshot,
        query,
        (details) => proxy.fetch(details),
      ),
  };
}

/** This node's own workloads, and how the enrolment of each stands; null for those that shall not be captured. */
function listWorkloads(proxy: NodeProxy, node: string): object[] {
  const enrolments = new Map(proxy.enrolments().map((one) => [one.workload, one]));
  return [...proxy.snapshot.workloads.values()].flatMap(({ workload }) => {
    if (workload.node !== node) return [];
    const { waitsFor, refusal } = enrolments.get(workload.uid) ?? {};
    return [{ workload, enrolment: waitsFor === undefined ? null : { waitsFor, refusal } }];
  });
}

/** Resources in force; workloads that an index names stand for themselves, with what it says of them. */
function listResources({ resources, workloads }: Snapshot): Resource[] {
  const details = [...resources.values()].filter(({ kind }) => kind !== 'workload-index');
  const indexed = [...workloads.values()].flatMap((view): Resource[] => {
    if (!view.indexed) return [];
    const { uid: name, namespace: ownerNamespace } = view.workload;
    return [{ kind: 'workload', name, ownerNamespace, version: '', body: view.workload }];
  });
  return [...details, ...indexed];
}
