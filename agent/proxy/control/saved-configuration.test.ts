import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Resource } from '../../../model/resource.js';
import {
  endpoint,
  endpointSet,
  mesh,
  policy,
  resource,
  route,
  service,
  workload,
} from '../../../model/test-resources.js';
import type { Detail } from '../../../model/workload-index.js';
import { encodeResource } from '../../../proto/encode-resource.js';
import { loadConfigService } from '../../../proto/load-config-service.js';
import { SavedConfiguration } from './saved-configuration.js';

const { definition } = loadConfigService();
const folder = mkdtempSync(join(tmpdir(), 'weft-state-'));
afterAll(() => rmSync(folder, { recursive: true }));

const resources = [
  resource('mesh', mesh(), '1'),
  resource('workload', workload(), '2'),
  resource('service', service(), '3'),
  resource('endpoints', endpointSet([endpoint()]), '4'),
  resource('http-route', route(), '5'),
  resource('authorization-policy', policy(), '6'),
];

const base = { version: 7, resources };
const wants: readonly Detail[] = [
  { kind: 'service', name: 'shop/cart' },
  { kind: 'workload', name: 'cart-1' },
];

function made(name: string, { log = [] as string[], current = () => base, wanted = () => wants } = {}) {
  return new SavedConfiguration({
    folder: join(folder, name),
    definition,
    current,
    wants: wanted,
    log: (_, message) => void log.push(message),
  });
}

/** A delta as it comes from the wire. */
function received(snapshotVersion: number, upserts: readonly Resource[], removals: readonly Resource[] = []) {
  const { responseSerialize, responseDeserialize } = definition.Stream;
  const keys = removals.map(({ kind, name }) => ({ kind, name }));
  const message = { nonce: 1, snapshotVersion, upserts: upserts.map(encodeResource), removals: keys };
  return responseDeserialize(responseSerialize({ ...message, complete: true }));
}

const fileOf = (name: string) => join(folder, name, 'configuration.journal');
const changed = resource('service', service({ addresses: ['10.97.0.99'] }), '30');

test('what was written is read back whole, is for its owner alone, and leaves no other file', () => {
  const saved = made('whole');
  expect(saved.load()).toBeNull();
  saved.record(received(7, resources), true);
  const read = made('whole').load();
  expect(read).toMatchObject({ snapshotVersion: 7, upserts: resources, removals: [], refused: [], wants });
  expect(readdirSync(join(folder, 'whole'))).toEqual(['configuration.journal']);
  expect(statSync(fileOf('whole')).mode & 0o777).toBe(0o600);
});

test('each change is in the file once it is recorded, at the cost of the change', () => {
  const saved = made('changes');
  saved.record(received(7, resources), true);
  const whole = statSync(fileOf('changes')).size;
  const [, , , , gone] = resources as [Resource, Resource, Resource, Resource, Resource];
  saved.record(received(8, [changed]), true);
  saved.record(received(9, [], [gone]), true);
  expect(statSync(fileOf('changes')).size - whole).toBeLessThan(whole / 2);
  const read = made('changes').load();
  expect(read?.snapshotVersion).toBe(9);
  expect(read?.upserts).toHaveLength(resources.length - 1);
  expect(read?.upserts).toContainEqual(changed);
  expect(read?.upserts).not.toContainEqual(gone);
});

test('what a refused delta left in force is written, not the delta', () => {
  const saved = made('refused');
  saved.record(received(7, resources), true);
  saved.record(received(8, [changed]), false);
  expect(made('refused').load()).toMatchObject({ snapshotVersion: 7, upserts: resources });
});

test('all is written anew before the deltas outgrow it', () => {
  const saved = made('long');
  saved.record(received(7, resources), true);
  const whole = statSync(fileOf('long')).size;
  const big = received(
    8,
    Array.from({ length: 2000 }, () => changed),
  );
  let most = 0;
  for (let round = 0; round < 40; round += 1) {
    saved.record(big, true);
    most = Math.max(most, statSync(fileOf('long')).size);
  }
  expect(most).toBeLessThan(3 * 1024 * 1024);
  expect(most).toBeGreaterThan(whole);
  expect(made('long').load()).not.toBeNull();
});

test('a record that its process could not finish is left out, wherever it was torn, and the next one follows it', () => {
  const saved = made('torn');
  saved.record(received(7, resources), true);
  const whole = statSync(fileOf('torn')).size;
  saved.record(received(8, [changed]), true);
  const bytes = readFileSync(fileOf('torn'));
  for (let length = whole; length < bytes.length; length += 1) {
    writeFileSync(fileOf('torn'), bytes.subarray(0, length));
    expect([length, made('torn').load()?.snapshotVersion]).toEqual([length, 7]);
  }
  writeFileSync(fileOf('torn'), Buffer.concat([bytes.subarray(0, whole), Buffer.alloc(4096)]));
  const next = made('torn', { current: () => ({ version: 7, resources }) });
  expect(next.load()?.snapshotVersion).toBe(7);
  next.record(received(8, [changed]), true);
  next.record(received(9, [changed]), true);
  expect(made('torn').load()?.snapshotVersion).toBe(9);
});

test.each([
  ['bytes that are no journal', Buffer.from([0xff, 0xff, 0xff])],
  ['a hole', Buffer.alloc(64)],
])('a damaged file, %s, is said and counts as none', (_, bytes) => {
  const log: string[] = [];
  const saved = made('damaged', { log });
  writeFileSync(fileOf('damaged'), bytes);
  expect(saved.load()).toBeNull();
  expect(log[0]).toContain('is damaged');
});

test('where it cannot be written that is said, and the next change tries again', () => {
  const log: string[] = [];
  const saved = made('full', { log });
  rmSync(join(folder, 'full'), { recursive: true });
  saved.record(received(7, resources), true);
  expect(log).toEqual([expect.stringContaining('cannot be written')]);
  mkdirSync(join(folder, 'full'));
  saved.record(received(8, [changed]), true);
  expect(made('full').load()).toMatchObject({ snapshotVersion: 7, upserts: resources });
});

test('what the node wants is written once, and again when it changes', () => {
  let wanted: readonly Detail[] = wants;
  const saved = made('wants', { wanted: () => wanted });
  saved.record(received(7, resources), true);
  const size = () => statSync(fileOf('wants')).size;
  const [whole] = [size()];
  saved.record(received(8, []), true);
  const plain = size() - whole;
  wanted = [{ kind: 'service', name: 'shop/other' }];
  saved.record(received(9, []), true);
  expect(size() - whole - plain).toBeGreaterThan(plain);
  expect(made('wants').load()?.wants).toEqual(wanted);
});

test('what an index brings while the controller does not know everything is not all that it holds', () => {
  const workloadIndex = { trustDomain: 'mesh.test', node: 'n2', partial: true, workloads: [] };
  const { responseSerialize, responseDeserialize } = definition.Stream;
  const upserts = [{ name: 'n2/', version: '2', workloadIndex }];
  const delta = responseDeserialize(responseSerialize({ nonce: 1, snapshotVersion: 8, upserts }));
  const saved = made('partial');
  saved.record(received(7, resources), true);
  saved.record(delta, true);
  expect(made('partial').load()?.upserts).toEqual(resources);
});
