/** For tests: a small cluster whose objects change at random, and often clash over names, addresses and places. */
import { seededRandom } from '../../model/test-resources.js';
import type { SourceChange } from '../source/source.js';

interface Labels {
  readonly [name: string]: string;
}

const noLine = () => 0;
const gateway = 'gateway.networking.k8s.io/v1';
const own = 'weft.dev/v1alpha1';

export class RandomWorld {
  readonly #random: () => number;
  readonly #there = new Set<string>();

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** One object comes, changes or goes. */
  change(): SourceChange {
    const gone = this.#random() < 0.2 && this.#there.size > 0;
    if (gone) {
      const origin = this.#of([...this.#there]);
      this.#there.delete(origin);
      return { type: 'gone', origin };
    }
    const value = this.#object();
    const { namespace = '', name } = value.metadata;
    const origin = `${value.kind}/${namespace}/${name}`;
    this.#there.add(origin);
    return { type: 'holds', origin, documents: [{ value, locate: noLine }] };
  }

  #object() {
    const kinds = [
      () => this.#pod(),
      () => this.#pod(),
      () => this.#workload(),
      () => this.#service(),
      () => this.#slice(),
      () => this.#slice(),
      () => this.#route('HTTPRoute'),
      () => this.#route('GRPCRoute'),
      () => this.#policy(),
      () => this.#peerAuthentication(),
      () => this.#clusterWide(),
    ];
    return this.#of(kinds)();
  }

  #pod() {
    const number = this.#number(8);
    const annotations = this.#maybe(0.4, { 'weft.dev/fail-mode': this.#of(['open', 'closed', 'ajar']) });
    const mesh = this.#maybe(0.4, { 'weft.dev/mesh': this.#of(['enabled', 'disabled', 'yes']) });
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        ...this.#named('p', number),
        uid: `u${this.#random() < 0.9 ? number : this.#number(8)}`,
        labels: { app: this.#app(), ...mesh },
        annotations: { ...annotations, ...this.#maybe(0.3, { 'weft.dev/netns': `ns${this.#number(4)}` }) },
      },
      spec: {
        nodeName: this.#node(),
        containers: [{ name: 'c', ports: [{ containerPort: 8080, name: 'http' }] }],
        ...this.#maybe(0.1, { hostNetwork: true }),
        ...this.#maybe(0.1, { runtimeClassName: 'gvisor' }),
      },
      status: { phase: this.#random() < 0.05 ? 'Failed' : 'Running', podIPs: [{ ip: this.#podAddress() }] },
    };
  }

  #workload() {
    return {
      apiVersion: own,
      kind: 'Workload',
      metadata: { ...this.#named('w', this.#number(3)), labels: { app: this.#app() } },
      spec: {
        kind: this.#of(['Pod', 'External']),
        ...this.#maybe(0.5, { node: this.#node() }),
        addresses: [this.#podAddress(), this.#podAddress()],
        ...this.#maybe(0.5, {
          capture: { netns: `ns${this.#number(4)}`, failMode: this.#of(['Open', 'Closed']) },
        }),
      },
    };
  }

  #service() {
    const port = (number: number) => ({
      name: `port${number}`,
      port: number,
      targetPort: 8080,
      ...this.#maybe(0.7, { appProtocol: this.#of(['http', 'tcp', 'grpc']) }),
    });
    return {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: this.#named('s', this.#number(5)),
      spec: {
        clusterIP: this.#random() < 0.1 ? 'None' : this.#serviceAddress(),
        ports: this.#random() < 0.5 ? [port(80)] : [port(80), port(81)],
        ...this.#maybe(0.2, { internalTrafficPolicy: 'Local' }),
        ...this.#maybe(0.05, { clusterIP: 'everywhere' }),
      },
    };
  }

  #slice() {
    const endpoint = () => ({
      addresses: [this.#podAddress()],
      conditions: { ready: this.#random() < 0.7 },
      ...this.#maybe(0.5, { nodeName: this.#node() }),
      ...this.#maybe(0.2, { hints: { forZones: [{ name: this.#zone() }] } }),
      ...this.#maybe(0.3, {
        targetRef: { kind: 'Pod', namespace: this.#space(), name: `p${this.#number(8)}` },
      }),
    });
    const metadata = this.#named('e', this.#number(6));
    return {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata, labels: { 'kubernetes.io/service-name': `s${this.#number(6)}` } },
      addressType: 'IPv4',
      ports: [80, 81].slice(this.#number(2)).map((number) => ({ name: `port${number}`, port: 8080 })),
      endpoints: Array.from({ length: this.#number(4) }, endpoint),
    };
  }

  #route(kind: 'HTTPRoute' | 'GRPCRoute') {
    const reference = () => ({
      name: `s${this.#number(6)}`,
      ...this.#maybe(0.3, { namespace: this.#space() }),
      port: this.#of([80, 81]),
    });
    const parent = () => ({
      group: '',
      kind: 'Service',
      ...reference(),
      ...this.#maybe(0.5, { port: undefined }),
    });
    return {
      apiVersion: gateway,
      kind,
      metadata: this.#named('r', this.#number(4)),
      spec: {
        parentRefs: Array.from({ length: 1 + this.#number(2) }, parent),
        [this.#random() < 0.95 ? 'rules' : 'rulez']: [{ backendRefs: [reference(), reference()] }],
      },
    };
  }

  #policy() {
    const target = this.#of<object>([
      {},
      { targetRefs: [{ kind: 'Service', name: `s${this.#number(6)}` }] },
      { selector: { matchLabels: { app: this.#app() } } },
    ]);
    const sources = this.#of<object>([
      { serviceAccounts: [`${this.#space()}/a${this.#number(2)}`] },
      { namespaces: [this.#space()] },
    ]);
    return {
      apiVersion: own,
      kind: 'AuthorizationPolicy',
      metadata: this.#named('a', this.#number(4)),
      spec: { ...target, action: this.#of(['ALLOW', 'DENY', 'ALLOW', 'BLOCK']), rules: [{ sources }] },
    };
  }

  #peerAuthentication() {
    const metadata = {
      ...this.#named('m', this.#number(4)),
      creationTimestamp: `2026-01-0${1 + this.#number(3)}T00:00:00Z`,
    };
    const mode = () => this.#of(['Strict', 'Permissive', 'Disabled']);
    const selector = {
      selector: { matchLabels: { app: this.#app() } },
      ...this.#maybe(0.5, { ports: [{ port: 8080, mode: mode() }] }),
    };
    const spec = { mode: this.#random() < 0.9 ? mode() : 'STRICT', ...this.#maybe(0.6, selector) };
    return { apiVersion: own, kind: 'PeerAuthentication', metadata, spec };
  }

  /** What has no namespace, or says something of one. */
  #clusterWide() {
    const space = this.#space();
    const labels: Labels = this.#maybe(0.7, {
      'weft.dev/mesh': this.#of(['enabled', 'disabled', 'Enabled']),
    });
    const zones: Labels = this.#maybe(0.7, { 'topology.kubernetes.io/zone': this.#zone() });
    const podCIDRs = this.#maybe(0.5, { podCIDRs: [`10.1.${this.#number(3)}.0/24`] });
    const from = [
      { group: 'gateway.networking.k8s.io', kind: this.#of(['HTTPRoute', 'GRPCRoute']), namespace: space },
    ];
    const to = [{ group: '', kind: 'Service', ...this.#maybe(0.5, { name: `s${this.#number(6)}` }) }];
    return this.#of<{ apiVersion: string; kind: string; metadata: Metadata; spec?: object }>([
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: space, labels } },
      {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name: this.#node(), labels: zones },
        spec: { ...podCIDRs },
      },
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: this.#named('a', this.#number(2)) },
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'ServiceCIDR',
        metadata: { name: 'kubernetes' },
        spec: { cidrs: [this.#of(['10.96.0.0/16', '10.97.0.0/16'])] },
      },
      {
        apiVersion: 'gateway.networking.k8s.io/v1beta1',
        kind: 'ReferenceGrant',
        metadata: this.#named('g', this.#number(2)),
        spec: { from, to },
      },
      { apiVersion: own, kind: 'Mesh', metadata: { name: `mesh${this.#number(2)}` }, spec: this.#mesh() },
    ]);
  }

  #mesh(): object {
    return {
      trustDomain: this.#of(['a.b', 'c.d']),
      ...this.#maybe(0.3, { mtls: { mode: this.#of(['Strict', 'Permissive']) } }),
      ...this.#maybe(0.3, { ranges: [{ cidr: `10.${this.#of([1, 96])}.0.0/16`, action: 'proxy' }] }),
      ...this.#maybe(0.2, { enrolment: 'Disabled' }),
    };
  }

  #named(prefix: string, number: number): Metadata {
    return { namespace: this.#space(), name: `${prefix}${number}` };
  }

  #space(): string {
    return this.#of(['one', 'two']);
  }

  #app(): string {
    return this.#of(['x', 'y', 'z']);
  }

  #node(): string {
    return `n${this.#number(3)}`;
  }

  #zone(): string {
    return `z${this.#number(2)}`;
  }

  #podAddress(): string {
    return `10.1.${this.#number(3)}.${this.#number(5)}`;
  }

  #serviceAddress(): string {
    return this.#random() < 0.9 ? `10.96.0.${this.#number(6)}` : this.#podAddress();
  }

  #maybe<Some extends object>(likely: number, some: Some): Some | Record<string, never> {
    return this.#random() < likely ? some : {};
  }

  #number(below: number): number {
    return Math.floor(this.#random() * below);
  }

  #of<Item>(items: readonly Item[]): Item {
    return items[this.#number(items.length)] as Item;
  }
}

interface Metadata {
  readonly namespace?: string;
  readonly name: string;
  readonly labels?: Labels;
}
