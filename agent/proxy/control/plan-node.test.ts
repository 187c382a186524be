import { noGroups } from '../../../model/compile-kernel-rules.js';
import { mesh, policy, resource, snapshotOf, workload } from '../../../model/test-resources.js';
import { planNode } from './plan-node.js';

const capture = { netns: 'n', failMode: 'open', udp: 'allow', probePorts: [9] } as const;

test('captured workloads of this node are enrolled, and no others', () => {
  const snapshot = snapshotOf(
    resource('mesh', mesh()),
    resource('workload', workload({ uid: 'here', addresses: ['10.0.0.1'] })),
    resource('workload', workload({ uid: 'there', node: 'node-2', addresses: ['10.0.0.2'] })),
    resource('workload', workload({ uid: 'free', capture: null, addresses: ['10.0.0.3'] })),
  );
  const { enrolments } = planNode(snapshot, 'node-1', noGroups);
  expect(enrolments.map(({ workload: uid }) => uid)).toEqual(['here']);
  expect(enrolments[0]?.group).toBeGreaterThan(0);
});

test('fail mode open is kept only where no policy protects the workload', () => {
  const open = resource('workload', workload({ capture }));
  expect(planNode(snapshotOf(open), 'node-1', noGroups).enrolments[0]?.failMode).toBe('open');
  const guarded = snapshotOf(open, resource('authorization-policy', policy()));
  expect(planNode(guarded, 'node-1', noGroups).enrolments[0]?.failMode).toBe('closed');
});

test('equal snapshots give equal plans: nothing is published again', () => {
  const resources = [resource('mesh', mesh()), resource('workload', workload())];
  const first = planNode(snapshotOf(...resources), 'node-1', noGroups);
  const second = planNode(snapshotOf(...resources), 'node-1', first.groups);
  expect(second.kernelRules).toEqual(first.kernelRules);
  expect(second.enrolments).toEqual(first.enrolments);
});
