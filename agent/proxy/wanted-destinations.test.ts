/** Destinations that the node has not used before: held while their details come. */
import type { Resource } from '../../model/resource.js';
import { endpoint, endpointSet, mesh, resource, service, workload } from '../../model/test-resources.js';
import type { Workload } from '../../model/workload.js';
import { Reason } from '../../reasons/reasons.js';
import { CompletionKind, TestBatch } from './worker/test-batch.js';

function indexOf(...workloads: Workload[]): Resource {
  const entries = workloads.map((one) => ({ ...one, label: one.name }));
  const body = { trustDomain: 'mesh.test', cluster: '', network: '', node: 'n2', partial: false };
  const index = { ...body, workloads: entries };
  return { kind: 'workload-index', name: 'n2/', ownerNamespace: '', version: '1', body: index };
}

/** web (10.0.0.2) is served; cart (10.0.0.1:8080) stands behind 10.96.0.1:80. */
function served(extra: readonly Resource[] = []) {
  const batch = new TestBatch();
  batch.apply([
    resource('mesh', mesh()),
    resource('workload', workload()),
    resource('workload', workload({ uid: 'web-1', addresses: ['10.0.0.2'] })),
    resource('service', service()),
    resource('endpoints', endpointSet([endpoint()])),
    ...extra,
  ]);
  const web = batch.serve('web-1');
  const connect = (address = '10.96.0.1', port = 80) => batch.connect(web, 0, '10.0.0.2', address, port);
  return { batch, connect };
}

test('a thousand first connections to one service make one want, and all go on with its details', () => {
  const { batch, connect } = served([
    resource('service', service({ name: 'far', addresses: ['10.96.0.9'] })),
  ]);
  const details = [{ kind: 'service', name: 'shop/far' }];
  for (let at = 0; at < 1000; at += 1) expect(connect('10.96.0.9', 80)).toMatchObject({ action: 'park' });
  expect(batch.posted).toEqual([{ type: 'used', details }]);
  batch.apply([resource('endpoints', endpointSet([endpoint()], { name: 'far' }))]);
  expect(batch.engine.resumed).toHaveLength(1000);
  expect(batch.engine.resumed.every(({ action }) => action === 1)).toBe(true);
});

test('what does not come in time is refused by name', () => {
  const { batch, connect } = served([
    resource('service', service({ name: 'far', addresses: ['10.96.0.9'] })),
  ]);
  connect('10.96.0.9', 80);
  batch.timers.advance(2_000);
  expect(batch.engine.resumed).toMatchObject([{ action: 6, reason: Reason.detail_missing }]);
});

test('a workload known from the index alone is wanted, and read as its port is declared', () => {
  const far = workload({
    uid: 'far',
    addresses: ['10.0.9.9'],
    ports: [{ name: '', port: 80, protocol: 'http' }],
  });
  const { batch, connect } = served([indexOf(far)]);
  expect(connect('10.0.9.9', 80)).toMatchObject({ action: 'park' });
  expect(batch.posted).toEqual([{ type: 'used', details: [{ kind: 'workload', name: 'far' }] }]);
  batch.apply([resource('workload', far)]);
  expect(batch.engine.resumed).toMatchObject([{ action: 1 }]);
});

test('what open connections use is told again, what nothing uses is not', () => {
  const { batch, connect } = served([
    resource('service', service({ name: 'more', addresses: ['10.96.0.9'] })),
  ]);
  batch.apply([resource('endpoints', endpointSet([endpoint()], { name: 'more' }))]);
  connect();
  const { tag } = connect('10.96.0.9', 80);
  batch.complete({ kind: CompletionKind.connection, connectionTag: tag });
  batch.timers.advance(60_000);
  batch.posted.length = 0;
  batch.timers.advance(60_000);
  expect(batch.posted).toEqual([{ type: 'used', details: [{ kind: 'service', name: 'shop/cart' }] }]);
  batch.posted.length = 0;
  connect('10.96.0.9', 80);
  expect(batch.posted).toEqual([{ type: 'used', details: [{ kind: 'service', name: 'shop/more' }] }]);
});
