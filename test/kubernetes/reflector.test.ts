import { ApiClient } from '../../controller/kubernetes/api-client.js';
import type { ApiObject } from '../../controller/kubernetes/api-object.js';
import type { ObjectDelta } from '../../controller/kubernetes/object-index.js';
import { Reflector } from '../../controller/kubernetes/reflector.js';
import type { ResourceType } from '../../controller/kubernetes/resource-type.js';
import {
  apiServerReady,
  apply,
  compactEtcd,
  createNamespace,
  daemon,
  deleteNamespace,
  getJson,
  kubeconfig,
  kubectl,
} from './harness/cluster.js';
import { CutLink } from './harness/cut-link.js';
import { Awaited, eventually } from './harness/wait.js';

const configMaps: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
  optional: false,
};

/** A mirror of a kind through a link that can be cut. */
class Mirror {
  readonly objects = new Map<string, ApiObject>();
  readonly deltas: ObjectDelta[] = [];
  readonly troubles: string[] = [];
  readonly changed = new Awaited();
  readonly reflector: Reflector;
  readonly client: ApiClient;
  readonly link: CutLink;
  #running: Promise<void> = Promise.resolve();

  private constructor(link: CutLink, client: ApiClient, type: ResourceType) {
    this.link = link;
    this.client = client;
    this.reflector = new Reflector({
      client,
      type,
      random: Math.random,
      onChange: (deltas) => this.#take(deltas),
      onTrouble: (message) => {
        this.troubles.push(message);
        this.changed.wake();
      },
      // Pages of three, so that any list has several.
      limits: { pageSize: 3, listSilenceMs: 10_000, watchSilenceMs: 150_000, watchSeconds: 300 },
    });
  }

  /** `disturb` is done to the link before anything goes over it. */
  static async start(type: ResourceType, disturb: (link: CutLink) => void = () => {}): Promise<Mirror> {
    const { link, config } = await CutLink.open(kubeconfig());
    const mirror = new Mirror(link, new ApiClient(config), type);
    disturb(link);
    mirror.#running = mirror.reflector.run();
    await mirror.until('first list', () => mirror.reflector.synced);
    return mirror;
  }

  #take(deltas: readonly ObjectDelta[]): void {
    for (const delta of deltas) {
      this.deltas.push(delta);
      if (delta.type === 'gone') this.objects.delete(delta.key);
      else this.objects.set(delta.key, delta.object);
    }
    this.changed.wake();
  }

  until(what: string, condition: () => boolean, timeoutMs?: number): Promise<void> {
    const describe = () => JSON.stringify({ keys: [...this.objects.keys()], troubles: this.troubles });
    return this.changed.until(what, condition, describe, timeoutMs);
  }

  /** Deltas about one object since a place in the record: `put`, `replaced` or `gone`. */
  since(place: number, key: string): string[] {
    return this.deltas
      .slice(place)
      .filter((delta) => delta.key === key)
      .map((delta) => (delta.type === 'put' && delta.replaced ? 'replaced' : delta.type));
  }

  async stop(): Promise<void> {
    this.reflector.stop();
    await this.#running;
    this.client.close();
    this.link.close();
  }
}

let namespace: string;
let mirror: Mirror;

beforeAll(async () => {
  namespace = await createNamespace();
});

afterAll(async () => {
  await deleteNamespace(namespace);
});

beforeEach(async () => {
  await apply(configMap('one', '1') + configMap('two', '1'));
  mirror = await Mirror.start(configMaps);
});

afterEach(async () => {
  await mirror.stop();
  await kubectl('delete', 'configmap', '--all', '-n', namespace);
});

function configMap(name: string, value: string): string {
  return `
---
apiVersion: v1
kind: ConfigMap
metadata: {name: ${name}, namespace: ${namespace}}
data: {value: "${value}"}
`;
}

const dataOf = (name: string) =>
  (mirror.objects.get(`${namespace}/${name}`)?.data as { value?: string } | undefined)?.value;

/** What the API server holds now: versions by name. */
async function truth(): Promise<Map<string, string>> {
  const { items } = await getJson('configmaps', '-A');
  return new Map(
    (items as ApiObject[]).map(({ metadata }) => [
      `${metadata.namespace}/${metadata.name}`,
      metadata.resourceVersion,
    ]),
  );
}

/** The mirror holds exactly what the API server holds. */
async function agrees(): Promise<void> {
  await eventually(
    'agreement with the API server',
    async () => {
      const mirrored = [...mirror.objects].map(([key, { metadata }]) => [key, metadata.resourceVersion]);
      return { mirrored: mirrored.sort(), held: [...(await truth())].sort() };
    },
    ({ mirrored, held }) => JSON.stringify(mirrored) === JSON.stringify(held),
  );
}

test('mirrors all pages of a list, then each change, as plain JSON', async () => {
  await agrees();
  expect(mirror.objects.size).toBeGreaterThan(3);
  await apply(configMap('two', '2') + configMap('three', '3'));
  await mirror.until('new value', () => dataOf('two') === '2' && dataOf('three') === '3');
  await kubectl('delete', 'configmap', 'one', '-n', namespace);
  await mirror.until('deletion', () => !mirror.objects.has(`${namespace}/one`));
  const object = mirror.objects.get(`${namespace}/three`);
  expect(object).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
  expect(typeof object?.metadata.creationTimestamp).toBe('string');
  expect(object?.metadata).not.toHaveProperty('managedFields');
  await agrees();
});

test('goes on where it was when connections drop: nothing is listed or told twice', async () => {
  const place = mirror.deltas.length;
  for (let round = 1; round <= 3; round += 1) {
    mirror.link.drop();
    await apply(configMap('two', `drop-${round}`));
    await mirror.until('value', () => dataOf('two') === `drop-${round}`);
  }
  expect(mirror.since(place, `${namespace}/one`)).toEqual([]);
  expect(mirror.since(place, `${namespace}/two`)).toEqual(['put', 'put', 'put']);
});

test('a list whose pages break off again and again ends up whole', async () => {
  const names = Array.from({ length: 30 }, (_, index) => `page-${index}`);
  await apply(names.map((name) => configMap(name, 'x'.repeat(2000))).join(''));
  await mirror.stop();
  let dropped: Promise<void> = Promise.resolve();
  mirror = await Mirror.start(configMaps, (link) => {
    // More than a handshake and a page, far less than the list.
    dropped = link.dropEvery(20_000, 3);
  });
  await dropped;
  expect(mirror.troubles.length).toBeGreaterThan(0);
  expect([...mirror.objects.keys()]).toEqual(
    expect.arrayContaining(names.map((name) => `${namespace}/${name}`)),
  );
  await agrees();
});

test('an object deleted and made anew while the link is cut is another one', async () => {
  const uid = mirror.objects.get(`${namespace}/one`)?.metadata.uid;
  const place = mirror.deltas.length;
  mirror.link.cut();
  await kubectl('delete', 'configmap', 'one', '-n', namespace);
  await apply(configMap('one', 'again'));
  mirror.link.join();
  await mirror.until('new object', () => dataOf('one') === 'again');
  expect(mirror.objects.get(`${namespace}/one`)?.metadata.uid).not.toBe(uid);
  // The watch tells of both, one after the other.
  expect(mirror.since(place, `${namespace}/one`)).toEqual(['gone', 'put']);
});

test('after compaction and a restart of the API server it lists anew and tells only what differs', async () => {
  const place = mirror.deltas.length;
  mirror.link.cut();
  await kubectl('delete', 'configmap', 'one', '-n', namespace);
  await apply(configMap('one', 'again') + configMap('two', 'changed'));
  await compactEtcd();
  await daemon('node1', 'kube-apiserver', 'restart');
  await apiServerReady();
  mirror.link.join();
  await mirror.until('both', () => dataOf('one') === 'again' && dataOf('two') === 'changed', 60_000);
  expect(mirror.since(place, `${namespace}/one`)).toEqual(['replaced']);
  expect(mirror.since(place, `${namespace}/two`)).toEqual(['put']);
  await agrees();
});

test('the API server stopped for seconds: what there was stays, what comes after is seen', async () => {
  const size = mirror.objects.size;
  await daemon('node1', 'kube-apiserver', 'stop');
  try {
    await mirror.until('trouble', () => mirror.troubles.length >= 2);
    expect(mirror.objects.size).toBe(size);
  } finally {
    await daemon('node1', 'kube-apiserver', 'start');
    await apiServerReady();
  }
  await apply(configMap('two', 'late'));
  await mirror.until('late value', () => dataOf('two') === 'late', 60_000);
  await agrees();
});
