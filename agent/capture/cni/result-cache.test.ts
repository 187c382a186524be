import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ResultCache } from './result-cache.js';

const folder = mkdtempSync(join(tmpdir(), 'weft-results-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** As libcni writes it (cniCacheV1). */
const kept = (container: string, uid: string, changes: object = {}) =>
  JSON.stringify({
    kind: 'cniCacheV1',
    containerId: container,
    config: 'e30=',
    ifName: 'eth0',
    networkName: 'pods',
    netns: `/var/run/netns/cni-${container}`,
    cniArgs: [
      ['K8S_POD_NAMESPACE', 'shop'],
      ['K8S_POD_NAME', 'cart-1'],
      ['K8S_POD_INFRA_CONTAINER_ID', container],
      ['K8S_POD_UID', uid],
      ['IgnoreUnknown', '1'],
    ],
    result: { cniVersion: '1.0.0', ips: [{ address: '10.244.0.7/24' }, { address: 'fd78::7/64' }] },
    ...changes,
  });

const write = (name: string, text: string, seconds = 1) => {
  writeFileSync(join(folder, name), text);
  utimesSync(join(folder, name), seconds, seconds);
};

test('a pod is found by its uid, with its namespace’s name and addresses; loopback and strangers’ files are not it', () => {
  const cache = new ResultCache(folder);
  expect(cache.find('u-1')).toBeUndefined();
  write('cni-loopback-box-1-lo', kept('box-1', 'u-1', { ifName: 'lo', netns: '/wrong' }));
  write('other', '{"kind":"else"}');
  write('half', '{"kind":"cniCa');
  write('pods-box-1-eth0', kept('box-1', 'u-1'));
  expect(cache.find('u-1')).toEqual({
    id: 'box-1',
    uid: 'u-1',
    namespace: 'shop',
    name: 'cart-1',
    labels: {},
    netns: 'cni-box-1',
    addresses: ['10.244.0.7', 'fd78::7'],
  });
});

test('of a pod’s sandboxes the newest counts, and one whose file is gone does not', () => {
  const cache = new ResultCache(folder);
  write('pods-box-2-eth0', kept('box-2', 'u-2'), 20);
  write('pods-box-3-eth0', kept('box-3', 'u-2'), 30);
  expect(cache.find('u-2')?.id).toBe('box-3');
  rmSync(join(folder, 'pods-box-3-eth0'));
  expect(cache.find('u-2')?.id).toBe('box-2');
});

test('a folder that is not there keeps nothing', () => {
  expect(new ResultCache(join(folder, 'missing')).find('u-1')).toBeUndefined();
});
