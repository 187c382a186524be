/**
 * Objects of weft's own kinds, good and bad. One table for the parser (own-kinds.test.ts) and for the schemas of
 * deploy/crds on a real API server (test/kubernetes), so that the two cannot drift apart.
 */

export interface OwnKindExample {
  /** What the object shows. */
  readonly what: string;
  readonly yaml: string;
  /** Absent: good. */
  readonly refused?: {
    readonly parser: RegExp;
    /** null: the schema cannot tell, so the object's condition does. */
    readonly api: RegExp | null;
  };
}

const policy = (spec: string) =>
  `{apiVersion: weft.dev/v1alpha1, kind: AuthorizationPolicy, metadata: {name: example, namespace: default}, spec: ${spec}}`;

const rule = (text: string) => policy(`{action: ALLOW, rules: [${text}]}`);

const mesh = (spec: string) =>
  `{apiVersion: weft.dev/v1alpha1, kind: Mesh, metadata: {name: example}, spec: ${spec}}`;

const peers = (spec: string) =>
  `{apiVersion: weft.dev/v1alpha1, kind: PeerAuthentication, metadata: {name: example, namespace: default}, spec: ${spec}}`;

export const policyExamples: readonly OwnKindExample[] = [
  { what: 'a policy that allows nothing', yaml: policy('{action: ALLOW}') },
  { what: 'a policy that denies everything', yaml: policy('{action: DENY, rules: [{}]}') },
  {
    what: 'a policy with every field',
    yaml: policy(`{
      targetRefs: [{group: "", kind: Service, name: cart}], action: ALLOW, mode: Audit, requireAuthenticated: true,
      rules: [{
        sources: {serviceAccounts: [shop/web], namespaces: [bank], spiffeIDs: ["spiffe://a.b/ns/x/sa/y"]},
        ports: [8080],
        http: {methods: [GET], paths: ["/cart*", "*.css", "*"], hosts: [cart, "*.shop", "[fd00::1]"],
               headers: [{name: X-Audit, values: ["*", "a*"]}]}}]}`),
  },
  {
    what: 'a policy by labels',
    yaml: policy('{selector: {matchLabels: {app: cart}}, action: DENY, rules: [{}]}'),
  },
  {
    what: 'a policy without action',
    yaml: policy('{rules: [{}]}'),
    refused: { parser: /spec\.action.* is missing/, api: /spec\.action: Required value/ },
  },
  {
    what: 'an unknown action',
    yaml: policy('{action: BLOCK}'),
    refused: { parser: /spec\.action.* use one of ALLOW, DENY/, api: /supported values: "ALLOW", "DENY"/ },
  },
  {
    what: 'DENY without rules',
    yaml: policy('{action: DENY}'),
    refused: {
      parser: /spec\.rules.* denies nothing/,
      api: /a DENY policy without rules denies nothing; write 'rules: \[\{\}\]' to deny all/,
    },
  },
  {
    what: 'selector beside targetRefs',
    yaml: policy('{action: ALLOW, targetRefs: [{name: a}], selector: {matchLabels: {a: b}}}'),
    refused: {
      parser: /spec\.selector.* cannot stand beside targetRefs/,
      api: /selector cannot stand beside targetRefs; keep one of them/,
    },
  },
  {
    what: 'a selector without labels',
    yaml: policy('{action: ALLOW, selector: {matchLabels: {}}}'),
    refused: { parser: /matchLabels.* is empty/, api: /matchLabels.* should have at least 1 properties/ },
  },
  {
    what: 'targetRefs without any',
    yaml: policy('{action: ALLOW, targetRefs: []}'),
    refused: { parser: /targetRefs.* names no service/, api: /targetRefs.* should have at least 1 items/ },
  },
  {
    what: 'a target of another kind',
    yaml: policy('{action: ALLOW, targetRefs: [{kind: Pod, name: a}]}'),
    refused: { parser: /kind.* write Service, or use selector/, api: /write Service, or use selector/ },
  },
  {
    what: 'a target of another group',
    yaml: policy('{action: ALLOW, targetRefs: [{group: apps, name: a}]}'),
    refused: { parser: /group.* \(the group of Service/, api: /the group of Service/ },
  },
  {
    what: 'a service account without namespace',
    yaml: rule('{sources: {serviceAccounts: [web]}}'),
    refused: { parser: /namespace\/name/, api: /serviceAccounts\[0\]: Invalid value: "web"/ },
  },
  {
    what: 'a glob of namespaces',
    yaml: rule('{sources: {namespaces: ["shop-*"]}}'),
    refused: { parser: /namespaces\[0\].* is malformed/, api: /namespaces\[0\]: Invalid value: "shop-\*"/ },
  },
  {
    what: 'a SPIFFE id without path',
    yaml: rule('{sources: {spiffeIDs: ["spiffe://a.b"]}}'),
    refused: { parser: /spiffeIDs\[0\].* is malformed/, api: /spiffeIDs\[0\]: Invalid value/ },
  },
  {
    what: 'sources without any',
    yaml: rule('{sources: {}}'),
    refused: { parser: /sources.* is empty/, api: /sources.* should have at least 1 properties/ },
  },
  {
    what: 'an empty list of namespaces, which would be any',
    yaml: rule('{sources: {namespaces: []}}'),
    refused: { parser: /namespaces.* is empty/, api: /namespaces.* should have at least 1 items/ },
  },
  {
    what: 'http without any attribute',
    yaml: rule('{http: {}}'),
    refused: { parser: /http.* is empty/, api: /http.* should have at least 1 properties/ },
  },
  {
    what: 'a method in lower case',
    yaml: rule('{http: {methods: [get]}}'),
    refused: { parser: /methods\[0\].* upper-case HTTP method/, api: /methods\[0\]: Invalid value: "get"/ },
  },
  {
    what: 'a path with a star in its middle',
    yaml: rule('{http: {paths: ["/a*b"]}}'),
    refused: { parser: /paths\[0\].* is malformed/, api: /paths\[0\]: Invalid value/ },
  },
  {
    what: 'a path that is no normal form',
    yaml: rule('{http: {paths: ["/a/../b"]}}'),
    refused: { parser: /paths\[0\].* not in normal form/, api: null },
  },
  {
    what: 'a host with its port',
    yaml: rule('{http: {hosts: ["cart:80"]}}'),
    refused: { parser: /hosts\[0\].* without their port/, api: /hosts\[0\]: Invalid value: "cart:80"/ },
  },
  {
    what: 'a header without values',
    yaml: rule('{http: {headers: [{name: a}]}}'),
    refused: { parser: /headers\[0\]\.values.* is missing/, api: /headers\[0\]\.values: Required value/ },
  },
  {
    what: 'a header name that is none',
    yaml: rule('{http: {headers: [{name: "a b", values: ["*"]}]}}'),
    refused: { parser: /headers\[0\]\.name.* is malformed/, api: /headers\[0\]\.name: Invalid value/ },
  },
  {
    what: 'a port out of range',
    yaml: rule('{ports: [70000]}'),
    refused: {
      parser: /ports\[0\].* no whole number in range/,
      api: /ports\[0\].* less than or equal to 65535/,
    },
  },
  {
    what: 'more rules than a policy may have',
    yaml: policy(`{action: ALLOW, rules: [${Array.from({ length: 65 }, () => '{}').join()}]}`),
    refused: { parser: /rules.* 65/, api: /rules: Too many: 65: must have at most 64 items/ },
  },
  {
    what: 'a misspelt field',
    yaml: rule('{sources: {serviceaccounts: [shop/web]}}'),
    refused: {
      parser: /did you mean serviceAccounts\?/,
      api: /unknown field "spec\.rules\[0\]\.sources\.serviceaccounts"/,
    },
  },
  {
    what: 'a policy without spec',
    yaml: '{apiVersion: weft.dev/v1alpha1, kind: AuthorizationPolicy, metadata: {name: example, namespace: default}}',
    refused: { parser: /spec.* is missing/, api: /spec: Required value/ },
  },
];

export const peerExamples: readonly OwnKindExample[] = [
  { what: 'a mode for a namespace', yaml: peers('{mode: Strict}') },
  {
    what: 'modes for workloads and their ports',
    yaml: peers('{selector: {matchLabels: {app: a}}, mode: Permissive, ports: [{port: 80, mode: Disabled}]}'),
  },
  {
    what: 'a peer authentication that says nothing',
    yaml: peers('{}'),
    refused: { parser: /mode.* is missing/, api: /says nothing; give mode or ports/ },
  },
  {
    what: 'an unknown mode',
    yaml: peers('{mode: STRICT}'),
    refused: {
      parser: /mode.* use one of Strict/,
      api: /supported values: "Strict", "Permissive", "Disabled"/,
    },
  },
  {
    what: 'ports of all workloads of a namespace',
    yaml: peers('{ports: [{port: 80, mode: Strict}]}'),
    refused: { parser: /ports.* needs a selector/, api: /ports belong to workloads; give a selector/ },
  },
  {
    what: 'a port twice',
    yaml: peers(
      '{selector: {matchLabels: {a: b}}, ports: [{port: 80, mode: Strict}, {port: 80, mode: Disabled}]}',
    ),
    refused: { parser: /ports\[1\]/, api: /ports\[1\]: Duplicate value/ },
  },
  {
    what: 'a port without mode',
    yaml: peers('{selector: {matchLabels: {a: b}}, ports: [{port: 80}]}'),
    refused: { parser: /mode.* is missing/, api: /ports\[0\]\.mode: Required value/ },
  },
  {
    what: 'a peer selector without labels',
    yaml: peers('{mode: Strict, selector: {matchLabels: {}}}'),
    refused: { parser: /matchLabels.* is empty/, api: /should have at least 1 properties/ },
  },
];

export const meshExamples: readonly OwnKindExample[] = [
  { what: 'a mesh with its trust domain', yaml: mesh('{trustDomain: shop.example}') },
  {
    what: 'a mesh with every field',
    yaml: mesh(`{trustDomain: a_b.c, cluster: east, network: n1, mtls: {mode: Strict},
      ranges: [{cidr: 10.0.0.0/8, action: proxy}, {cidr: "fd00::/8", action: direct}, {cidr: 1.2.3.4/32, action: deny}]}`),
  },
  {
    what: 'a mesh without trust domain',
    yaml: mesh('{}'),
    refused: { parser: /trustDomain.* is missing/, api: /spec\.trustDomain: Required value/ },
  },
  {
    what: 'a trust domain in capitals',
    yaml: mesh('{trustDomain: Shop}'),
    refused: { parser: /trustDomain.* is malformed/, api: /must be lower-case letters, digits/ },
  },
  {
    what: 'a cluster that is no DNS name',
    yaml: mesh('{trustDomain: a, cluster: "a b"}'),
    refused: { parser: /cluster.* is malformed/, api: /must be lower-case DNS labels joined by dots/ },
  },
  {
    what: 'a range with host bits',
    yaml: mesh('{trustDomain: a, ranges: [{cidr: 10.0.0.1/8, action: deny}]}'),
    refused: { parser: /cidr.* is no CIDR/, api: /with all host bits zero, such as 10\.0\.0\.0\/8/ },
  },
  {
    what: 'a range that is none',
    yaml: mesh('{trustDomain: a, ranges: [{cidr: ten, action: deny}]}'),
    refused: { parser: /cidr.* is no CIDR/, api: /with all host bits zero, such as 10\.0\.0\.0\/8/ },
  },
  {
    what: 'a range without action',
    yaml: mesh('{trustDomain: a, ranges: [{cidr: 10.0.0.0/8}]}'),
    refused: { parser: /action.* is missing/, api: /ranges\[0\]\.action: Required value/ },
  },
];

export const ownKindExamples = [...policyExamples, ...peerExamples, ...meshExamples];
