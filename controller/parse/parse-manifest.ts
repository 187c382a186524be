/** From a document of unknown shape to a manifest, or to problems. */
import { checkManifest } from './check-manifest.js';
import { type FieldProblem, fieldProblem } from './field-problem.js';
import { type Fields, readObject } from './fields.js';
import type {
  Manifest,
  ManifestId,
  ManifestKind,
  PeerAuthenticationManifest,
  PolicyManifest,
} from './manifest.js';
import { type ObjectMetadata, readMetadata } from './object-metadata.js';
import { parseNamespace, parseNode, parseServiceAccount, parseServiceCidr } from './parse-cluster-kinds.js';
import { parseEndpointSlice } from './parse-endpoint-slice.js';
import { parseGrpcRoute } from './parse-grpc-route.js';
import { parseHttpRoute } from './parse-http-route.js';
import { parseMesh } from './parse-mesh.js';
import { brokenPeerAuthentication, parsePeerAuthentication } from './parse-peer-authentication.js';
import { parseClusterPod, parsePod } from './parse-pod.js';
import { brokenPolicy, parsePolicy } from './parse-policy.js';
import { parseReferenceGrant } from './parse-reference-grant.js';
import { parseService } from './parse-service.js';
import { parseWorkload } from './parse-workload.js';

export type ParsedManifest =
  | { readonly type: 'manifest'; readonly manifest: Manifest }
  | {
      readonly type: 'refused';
      /** null where the document cannot even be named. */
      readonly id: ManifestId | null;
      readonly problems: readonly FieldProblem[];
      /** What is in force where there is no last good version: only what guards has one, and it closes. */
      readonly fallback: PolicyManifest | PeerAuthenticationManifest | null;
    }
  /** A kind that is none of weft's concern, such as a Deployment. `warning`: somebody may expect otherwise. */
  | {
      readonly type: 'foreign';
      readonly namespace: string;
      readonly name: string;
      readonly warning: FieldProblem | null;
    };

interface KindReader {
  readonly kind: ManifestKind;
  readonly versions: readonly string[];
  readonly namespaced: boolean;
  readonly parse: (object: Fields, metadata: ObjectMetadata) => Manifest | null;
}

const gateway = 'gateway.networking.k8s.io';

const readers: readonly KindReader[] = [
  { kind: 'Mesh', versions: ['weft.dev/v1alpha1'], namespaced: false, parse: parseMesh },
  { kind: 'Workload', versions: ['weft.dev/v1alpha1'], namespaced: true, parse: parseWorkload },
  { kind: 'AuthorizationPolicy', versions: ['weft.dev/v1alpha1'], namespaced: true, parse: parsePolicy },
  {
    kind: 'PeerAuthentication',
    versions: ['weft.dev/v1alpha1'],
    namespaced: true,
    parse: parsePeerAuthentication,
  },
  { kind: 'Pod', versions: ['v1'], namespaced: true, parse: parsePod },
  { kind: 'Service', versions: ['v1'], namespaced: true, parse: parseService },
  { kind: 'EndpointSlice', versions: ['discovery.k8s.io/v1'], namespaced: true, parse: parseEndpointSlice },
  { kind: 'HTTPRoute', versions: [`${gateway}/v1`], namespaced: true, parse: parseHttpRoute },
  { kind: 'GRPCRoute', versions: [`${gateway}/v1`], namespaced: true, parse: parseGrpcRoute },
  {
    kind: 'ReferenceGrant',
    versions: [`${gateway}/v1`, `${gateway}/v1beta1`],
    namespaced: true,
    parse: parseReferenceGrant,
  },
];

/** What only a cluster says; manifests of a folder speak of workloads themselves, so there these kinds are foreign. */
const clusterReaders: readonly KindReader[] = [
  ...readers.filter(({ kind }) => kind !== 'Pod'),
  { kind: 'Pod', versions: ['v1'], namespaced: true, parse: parseClusterPod },
  { kind: 'Namespace', versions: ['v1'], namespaced: false, parse: parseNamespace },
  { kind: 'Node', versions: ['v1'], namespaced: false, parse: parseNode },
  { kind: 'ServiceAccount', versions: ['v1'], namespaced: true, parse: parseServiceAccount },
  { kind: 'ServiceCIDR', versions: ['networking.k8s.io/v1'], namespaced: false, parse: parseServiceCidr },
];

/** Whose documents these are: a folder's, written by hand, or the objects of a cluster. */
export type ManifestOrigin = 'folder' | 'cluster';

/** Groups in which an unknown kind or version is a mistake rather than somebody else's. */
const ourGroups = ['weft.dev', gateway, 'discovery.k8s.io'];

/** Parses one document. Never throws, whatever the document holds. */
export function parseManifest(value: unknown, origin: ManifestOrigin = 'folder'): ParsedManifest {
  const problems: FieldProblem[] = [];
  const object = readObject(value, [], problems);
  if (object === undefined) return { type: 'refused', id: null, problems, fallback: null };
  const apiVersion = object.requiredText('apiVersion');
  const kind = object.requiredText('kind');
  if (apiVersion === undefined || kind === undefined) {
    return { type: 'refused', id: null, problems, fallback: null };
  }
  const known = origin === 'cluster' ? clusterReaders : readers;
  const reader = known.find(
    (candidate) => candidate.kind === kind && candidate.versions.includes(apiVersion),
  );
  return reader === undefined
    ? parseUnknown(object, apiVersion, kind, problems)
    : parseKnown(object, reader, problems);
}

function parseKnown(object: Fields, reader: KindReader, problems: FieldProblem[]): ParsedManifest {
  const metadata = readMetadata(object, reader.namespaced);
  if (metadata === null) return { type: 'refused', id: null, problems, fallback: null };
  const manifest = reader.parse(object, metadata);
  object.finish();
  if (manifest !== null && problems.length === 0) problems.push(...checkManifest(manifest));
  const id = { kind: reader.kind, namespace: metadata.namespace, name: metadata.name };
  if (manifest !== null && problems.length === 0) return { type: 'manifest', manifest };
  return { type: 'refused', id, problems, fallback: fallbackFor(id, object, metadata) };
}

function fallbackFor(
  id: ManifestId,
  object: Fields,
  metadata: ObjectMetadata,
): PolicyManifest | PeerAuthenticationManifest | null {
  const { kind } = id;
  switch (kind) {
    case 'AuthorizationPolicy':
      return { id: { ...id, kind }, policy: brokenPolicy(object, metadata) };
    case 'PeerAuthentication':
      return { id: { ...id, kind }, peerAuthentication: brokenPeerAuthentication(object, metadata) };
    default:
      return null;
  }
}

function parseUnknown(
  object: Fields,
  apiVersion: string,
  kind: string,
  problems: FieldProblem[],
): ParsedManifest {
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  const sameKind = readers.find((reader) => reader.kind === kind);
  if (sameKind !== undefined) {
    const fix = `write ${sameKind.versions.join(' or ')}`;
    problems.push(fieldProblem(['apiVersion'], apiVersion, `is not read for kind ${kind}`, fix));
    return { type: 'refused', id: null, problems, fallback: null };
  }
  if (ourGroups.includes(group) && !passedOver.includes(kind) && !notYet.includes(kind)) {
    const known = readers.filter(({ versions }) =>
      versions.some((version) => version.startsWith(`${group}/`)),
    );
    const fix = `kinds of this group that weft reads: ${known.map((reader) => reader.kind).join(', ')}`;
    problems.push(fieldProblem(['kind'], kind, 'is not a kind that weft reads', fix));
    return { type: 'refused', id: null, problems, fallback: null };
  }
  const metadata = object.object('metadata');
  const text = (name: string) => {
    const found = metadata?.raw(name);
    return typeof found === 'string' ? found : '';
  };
  const warning = warnForeign(group, kind);
  return { type: 'foreign', namespace: text('namespace') || 'default', name: text('name'), warning };
}

/** Gateway API's kinds that concern other controllers. */
const passedOver = ['Gateway', 'GatewayClass', 'BackendTLSPolicy', 'ListenerSet'];
/** Those that a service may be the parent of, and that weft does not carry out. */
const notYet = ['TLSRoute', 'TCPRoute', 'UDPRoute'];

/** Kubernetes' own kinds may lie beside; of any other group a misspelling is likely enough to be told. */
function warnForeign(group: string, kind: string): FieldProblem | null {
  if (group === gateway && notYet.includes(kind)) {
    return fieldProblem(['kind'], kind, 'is not supported, so it decides nothing', 'use an HTTPRoute');
  }
  if (!group.includes('.') || group.endsWith('.k8s.io')) return null;
  return fieldProblem(
    ['apiVersion'],
    group,
    `is no group that weft reads; this ${kind} is passed over`,
    'remove it',
  );
}
