import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
import { loadConfigService } from '../../../proto/load-config-service.js';
import { PausedTimers } from './paused-timers.js';
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

function made(name: string, log: string[] = []) {
  const timers = new PausedTimers();
  const saved = new SavedConfiguration({
    folder: join(folder, name),
    definition,
    current: () => ({ version: 7, resources }),
    timers,
    log: (_, message) => void log.push(message),
  });
  return { saved, timers };
}

test('what was written is read back whole, is for its owner alone, and leaves no other file', async () => {
  const { saved } = made('whole');
  expect(saved.load()).toBeNull();
  await saved.write();
  const read = made('whole').saved.load();
  expect(read).toMatchObject({ snapshotVersion: 7, upserts: resources, removals: [], refused: [] });
  expect(readdirSync(join(folder, 'whole'))).toEqual(['configuration.binpb']);
  expect(statSync(join(folder, 'whole', 'configuration.binpb')).mode & 0o777).toBe(0o600);
});

test('a damaged file is said and counts as none', () => {
  const log: string[] = [];
  const { saved } = made('damaged', log);
  writeFileSync(join(folder, 'damaged', 'configuration.binpb'), Buffer.from([0xff, 0xff, 0xff]));
  expect(saved.load()).toBeNull();
  expect(log[0]).toContain('is damaged');
});

test('a burst of changes is written once, soon', async () => {
  const { saved, timers } = made('burst');
  saved.changed();
  saved.changed();
  timers.advance(250);
  await saved.write();
  expect(saved.load()).not.toBeNull();
});
