/** The kinds that the controller reads from a Kubernetes API, and where the API has them. */

export interface ResourceType {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Not installed on every cluster: while it is not, there are none of it, and it is looked for again. */
  readonly optional: boolean;
}

const gateway = { group: 'gateway.networking.k8s.io', version: 'v1', namespaced: true, optional: true };
const weft = { group: 'weft.dev', version: 'v1alpha1', optional: true };
const core = { group: '', version: 'v1', optional: false };

/** Everything that configuration is made of. */
export const watchedTypes: readonly ResourceType[] = [
  { ...core, plural: 'namespaces', kind: 'Namespace', namespaced: false },
  { ...core, plural: 'nodes', kind: 'Node', namespaced: false },
  { ...core, plural: 'pods', kind: 'Pod', namespaced: true },
  { ...core, plural: 'services', kind: 'Service', namespaced: true },
  { ...core, plural: 'serviceaccounts', kind: 'ServiceAccount', namespaced: true },
  {
    group: 'discovery.k8s.io',
    version: 'v1',
    plural: 'endpointslices',
    kind: 'EndpointSlice',
    namespaced: true,
    optional: false,
  },
  {
    group: 'networking.k8s.io',
    version: 'v1',
    plural: 'servicecidrs',
    kind: 'ServiceCIDR',
    namespaced: false,
    optional: true,
  },
  { ...gateway, plural: 'httproutes', kind: 'HTTPRoute' },
  { ...gateway, plural: 'grpcroutes', kind: 'GRPCRoute' },
  { ...gateway, version: 'v1beta1', plural: 'referencegrants', kind: 'ReferenceGrant' },
  { ...weft, plural: 'authorizationpolicies', kind: 'AuthorizationPolicy', namespaced: true },
  { ...weft, plural: 'peerauthentications', kind: 'PeerAuthentication', namespaced: true },
  { ...weft, plural: 'meshes', kind: 'Mesh', namespaced: false },
];

export function apiVersionOf({ group, version }: ResourceType): string {
  return group === '' ? version : `${group}/${version}`;
}

/** Where all objects of a kind are listed and watched. */
export function collectionPath(type: ResourceType): string {
  const root = type.group === '' ? '/api' : `/apis/${type.group}`;
  return `${root}/${type.version}/${type.plural}`;
}

/** Where one object is. `namespace` is not read for kinds that have none. */
export function objectPath(type: ResourceType, namespace: string, name: string): string {
  const root = type.group === '' ? '/api' : `/apis/${type.group}`;
  const place = type.namespaced ? `namespaces/${encodeURIComponent(namespace)}/` : '';
  return `${root}/${type.version}/${place}${type.plural}/${encodeURIComponent(name)}`;
}

/** How problems and logs name an object of the cluster, as kubectl does: `httproutes.gateway.networking.k8s.io/shop/cart`. */
export function originOf(type: ResourceType, key: string): string {
  return type.group === '' ? `${type.plural}/${key}` : `${type.plural}.${type.group}/${key}`;
}
