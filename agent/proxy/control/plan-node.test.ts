import type { Snapshot } from '../../../model/snapshot.js';
import { mesh, policy, resource, snapshotOf, workload } from '../../../model/test-resources.js';
import { NodePlan } from './plan-node.js';

function planned(...snapshots: readonly Snapshot[]): NodePlan {
  const plan = new NodePlan('node-1');
  for (const snapshot of snapshots) plan.update(snapshot);
  return plan;
}

const capture = { netns: 'n', failMode: 'open', udp: 'allow', probePorts: [9] } as const;

test('captured workloads of this node are enrolled, and no others', () => {
  const snapshot = snapshotOf(
    resource('mesh', mesh()),
    resource('workload', workload({ uid: 'here', addresses: ['10.0.0.1'] })),
    resource('workload', workload({ uid: 'there', node: 'node-2', addresses: ['10.0.0.2'] })),
    resource('workload', workload({ uid: 'free', capture: null, addresses: ['10.0.0.3'] })),
  );
  const { enrolments } = planned(snapshot);
  expect(enrolments.map(({ workload: uid }) => uid)).toEqual(['here']);
  expect(enrolments[0]?.group).toBeGreaterThan(0);
});

test('fail mode open is kept only where no policy protects the workload', () => {
  const open = resource('workload', workload({ capture }));
  expect(planned(snapshotOf(open)).enrolments[0]?.failMode).toBe('open');
  const guarded = snapshotOf(open, resource('authorization-policy', policy()));
  expect(planned(guarded).enrolments[0]?.failMode).toBe('closed');
});

test('equal snapshots give the same rules: nothing is published again', () => {
  const resources = [
    resource('mesh', mesh()),
    resource('workload', workload()),
    resource('authorization-policy', policy()),
  ];
  const plan = planned(snapshotOf(...resources));
  const [rules, enrolments] = [plan.kernelRules, plan.enrolments];
  expect(rules.rules.length).toBeGreaterThan(0);
  plan.update(snapshotOf(...resources));
  expect(plan.kernelRules).toBe(rules);
  expect(plan.enrolments).toEqual(enrolments);
});
