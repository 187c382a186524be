import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findCgroups, findKubeletCgroup } from './find-cgroups.js';

test('kubelet’s cgroup is found by its path; one that is named and not there is an error', () => {
  const given = mkdtempSync(join(tmpdir(), 'weft-cgroup-'));
  expect(findKubeletCgroup(given)).toBe(given);
  expect(() => findKubeletCgroup('no/such/cgroup')).toThrow(/no cgroup no\/such\/cgroup|no cgroup2/);
});

test('where the node mounted no cgroup2 below the folder, nothing is attached elsewhere instead', () => {
  expect(() => findCgroups('/nowhere')).toThrow(/no cgroup2 is mounted/);
});
