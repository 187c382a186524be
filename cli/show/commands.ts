/** The commands that list what proxies know: workloads, routes, connections, edges, certificates. */
import { type EdgeEnds, mergeEdges } from '../../model/edge.js';
import { answers } from '../mesh-source.js';
import {
  namespaceOptions,
  type PlaceValues,
  type ProgramName,
  placeOptions,
  type Scope,
  type Shown,
  shown,
  usageWithNamespace,
  wantsJson,
  withScope,
} from '../open-scope.js';
import { parseOptions } from '../parse-options.js';
import { requireAnswers } from './require-answers.js';
import { type Certificates, formatCertificates, joinCertificates } from './show-certificates.js';
import { formatRoutes, joinRoutes, type ProxyConfig } from './show-config.js';
import { formatConnections, type ShownConnection } from './show-connections.js';
import { formatEdges } from './show-edges.js';
import { findWorkloads, formatWorkloads } from './show-workloads.js';

/** A command that lists something of one namespace or of all. */
interface Listing<Found> {
  readonly find: (scope: Scope) => Promise<{ readonly found: Found; readonly warnings: readonly string[] }>;
  /** What -o json prints. */
  readonly data: (found: Found) => unknown;
  readonly format: (found: Found) => string;
  readonly well?: (found: Found) => boolean;
}

const listOptions = { ...placeOptions, ...namespaceOptions } as const;

function list<Found>({ find, data, format, well }: Listing<Found>) {
  return async (args: readonly string[], program: ProgramName): Promise<Shown> => {
    const values: PlaceValues = parseOptions(args, listOptions).values;
    const json = wantsJson(values);
    const { found, warnings } = await withScope(program, values, find);
    const good = warnings.length === 0 && (well === undefined || well(found));
    return shown(json, data(found), () => format(found), good, warnings);
  };
}

export const workloadsUsage = (program: ProgramName) => `usage: ${program} workloads [options]

Workloads and their identities: whether they are in the mesh and why not, what they demand of callers (mtls), and
whether TLS is spoken with them (transport: plaintext, arriving, weft-tls, leaving).
${usageWithNamespace}`;

export const showWorkloads = list({
  find: findWorkloads,
  data: (rows) => rows,
  format: formatWorkloads,
});

export const routesUsage = (program: ProgramName) => `usage: ${program} routes [options]

Rules of the HTTPRoutes and GRPCRoutes that are published: /x is a prefix, =/x exact, ~x an expression. kubectl weft why
tells which of them a node has in force.
${usageWithNamespace}`;

export const showRoutes = list({
  find: async ({ source, namespace }) => {
    const published = await source.askControllers<ProxyConfig>('/routes');
    // A proxy holds only what its workloads use; it speaks where no controller does.
    const asked = answers(published).length > 0 ? published : await source.askProxies<ProxyConfig>('/config');
    const { found, warnings } = requireAnswers(asked);
    return { found: joinRoutes(found, namespace), warnings };
  },
  data: (routes) => routes,
  format: formatRoutes,
});

export const connectionsUsage = (program: ProgramName) => `usage: ${program} connections [options]

Connections that are open right now, the oldest first.
${usageWithNamespace}`;

export const showConnections = list({
  find: async ({ source, namespace }) => {
    const { found, warnings } = requireAnswers(await source.askProxies<ShownConnection[]>('/connections'));
    const touches = (one: ShownConnection) =>
      namespace === null || [one.sourceNamespace, one.destinationNamespace].includes(namespace);
    return { found: found.flat().filter(touches), warnings };
  },
  data: (connections) => connections,
  format: formatConnections,
});

export const edgesUsage = (program: ProgramName) => `usage: ${program} edges [options]

Who talked to whom since the proxies began: encrypted or not, and why not. In a cluster of all nodes; elsewhere of this
machine's proxy, which sees the ends that are on its own node.
${usageWithNamespace}`;

export const showEdges = list({
  find: async ({ source, namespace }) => {
    const { found, warnings } = requireAnswers(await source.askProxies<EdgeEnds>('/edges?ends'));
    const edges = mergeEdges(found).filter(
      (edge) => isOf(edge.source, namespace) || isOf(edge.destination, namespace),
    );
    return { found: edges, warnings };
  },
  data: (edges) => edges,
  format: formatEdges,
});

export const certificatesUsage = (program: ProgramName) => `usage: ${program} certificates [options]

Identities of workloads and nodes: who issued them, when they end, and where the next one stands.
${usageWithNamespace}
Exit codes: 0 every workload can prove who it is, 1 some cannot, 2 wrong usage.
`;

export const showCertificates = list({
  find: async ({ source, namespace }) => {
    const asked = await source.askProxies<Certificates>('/certificates');
    const { warnings } = requireAnswers(asked);
    return { found: joinCertificates(asked, namespace), warnings };
  },
  data: ({ certificates }) => certificates,
  format: (found) => formatCertificates(found, Date.now()),
  well: ({ certificates }) => certificates.every(({ state }) => state === 'ready' || state === 'renewing'),
});

/** Whether `namespace/name` is of that namespace; everything is of `null`. */
function isOf(name: string, namespace: string | null): boolean {
  return namespace === null || name.startsWith(`${namespace}/`);
}
