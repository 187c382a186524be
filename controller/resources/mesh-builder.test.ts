/** Whatever changes, and in whatever order: what is kept up to date is what building everything anew gives. */
import type { Resource } from '../../model/resource.js';
import { manifestKey } from '../parse/manifest.js';
import type { ResourceId } from '../publish/resource-id.js';
import type { EndpointScope } from '../publish/scope-endpoints.js';
import { type BuildSettings, MeshBuilder } from './build-resources.js';
import { ManifestStore } from './manifest-store.js';
import { describeProblem } from './status-problem.js';
import { RandomWorld } from './test-world.js';

const cluster: BuildSettings = {
  trustDomain: 'e.f',
  node: '',
  cluster: { excludedNamespaces: ['kube-system'] },
};
const folder: BuildSettings = { trustDomain: null, node: 'n1' };

/** What follows changes, as a controller does. */
class Follower {
  readonly builder: MeshBuilder;
  readonly resources = new Map<ResourceId, Resource>();
  readonly scopes = new Map<string, EndpointScope>();
  zones: ReadonlyMap<string, string> = new Map();

  constructor(settings: BuildSettings) {
    this.builder = new MeshBuilder(settings);
  }

  /** False: there is no trust domain, so nothing was told. */
  take(): boolean {
    const changes = this.builder.takeChanges();
    for (const [id, resource] of changes?.resources ?? []) {
      if (resource === undefined) this.resources.delete(id);
      else this.resources.set(id, resource);
    }
    for (const [service, scope] of changes?.scopes ?? []) {
      if (scope === undefined) this.scopes.delete(service);
      else this.scopes.set(service, scope);
    }
    this.zones = changes?.zones ?? this.zones;
    return changes !== null;
  }

  get state() {
    const byName = <Value>(entries: Iterable<readonly [string, Value]>) =>
      [...entries].sort(([left], [right]) => (left < right ? -1 : 1));
    return {
      resources: byName(this.resources),
      scopes: byName(this.scopes).map(([service, scope]) => [service, scope.localOnly, byName(scope.places)]),
      zones: byName(this.zones),
    };
  }
}

function problemsOf(builder: MeshBuilder): string[] {
  return builder.problems().map(describeProblem).sort();
}

test.each([
  ['a cluster', cluster, 1],
  ['a folder', folder, 1000],
])('changes of %s lead to what building everything gives', (_, settings, firstSeed) => {
  const seen = new Set<string>();
  let told = 0;
  for (let seed = firstSeed; seed < firstSeed + 12; seed += 1) {
    const world = new RandomWorld(seed);
    const store = new ManifestStore(settings.cluster === undefined ? 'folder' : 'cluster');
    const follower = new Follower(settings);
    for (let step = 0; step < 80; step += 1) {
      const batch = Array.from({ length: 1 + (step % 3) }, () => world.change());
      follower.builder.apply(store.apply(batch));
      const fresh = new Follower(settings);
      fresh.builder.apply(
        new Map(store.manifests().map((stored) => [manifestKey(stored.manifest.id), stored])),
      );
      const problems = problemsOf(follower.builder);
      expect([seed, step, problems]).toEqual([seed, step, problemsOf(fresh.builder)]);
      for (const text of problems) seen.add(text.replace(/^\S+ \S+ \S+|[0-9"]+/g, ''));
      if (!fresh.take()) continue;
      told += 1;
      follower.take();
      expect([seed, step, follower.state]).toEqual([seed, step, fresh.state]);
    }
  }
  // The worlds are worth the test: most of them have an identity, and much is wrong with them.
  expect(told).toBeGreaterThan(300);
  expect(seen.size).toBeGreaterThan(40);
});

test('a change that says nothing new changes nothing', () => {
  const world = new RandomWorld(7);
  const store = new ManifestStore('cluster');
  const builder = new MeshBuilder(cluster);
  const changes = Array.from({ length: 100 }, () => world.change());
  builder.apply(store.apply(changes));
  builder.takeChanges();
  const held = changes
    .filter((change) => store.apply([change]).size > 0 && change.type === 'holds')
    .slice(-20);
  builder.apply(store.apply(held));
  builder.takeChanges();
  builder.apply(store.apply(held));
  expect([...(builder.takeChanges()?.resources ?? ['none'])]).toEqual([]);
});
