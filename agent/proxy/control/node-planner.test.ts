import type { Snapshot } from '../../../model/snapshot.js';
import { mesh, policy, resource, snapshotOf, workload } from '../../../model/test-resources.js';
import type { ProxyStanding } from '../../handover/messages.js';
import { NodePlanner } from './node-planner.js';
import { PausedTimers } from './paused-timers.js';

const plain = [resource('mesh', mesh()), resource('workload', workload())];

/** A planner whose capture writes down what it is told. */
class Planned {
  snapshot: Snapshot = snapshotOf();
  standing: ProxyStanding = 'leading';
  readonly told: string[] = [];
  readonly timers = new PausedTimers();
  /** False: it is still taking the rules in. */
  applies = true;
  readonly planner: NodePlanner;

  constructor() {
    const self = this;
    this.planner = new NodePlanner({
      node: 'node-1',
      timers: this.timers,
      snapshot: () => this.snapshot,
      capture: {
        get standing() {
          return self.standing;
        },
        ready: true,
        publishRules: () => {
          this.told.push('rules');
          if (this.applies) this.planner.rulesApplied();
        },
        holdNamespaces: () => this.told.push('namespaces'),
      },
      onEnrolments: (enrolments) => this.told.push(`${enrolments.length} enrolments`),
    });
  }

  /** What capture is told when this snapshot comes and the burst is over. */
  take(snapshot: Snapshot): string[] {
    this.snapshot = snapshot;
    this.planner.schedule();
    return this.settle();
  }

  settle(): string[] {
    this.timers.advance(1_000);
    return this.told.splice(0);
  }
}

test('the first plan is made at once, rules before enrolments; those of a burst become one', () => {
  const planned = new Planned();
  planned.snapshot = snapshotOf(...plain);
  planned.planner.schedule();
  expect(planned.told.splice(0)).toEqual(['rules', 'namespaces', '1 enrolments']);
  for (let change = 0; change < 5; change += 1) planned.planner.schedule();
  expect(planned.settle()).toEqual(['1 enrolments']);
});

test('rules are told again when they changed, were refused, or capture may hold others', () => {
  const planned = new Planned();
  planned.take(snapshotOf(...plain));
  const guarded = snapshotOf(...plain, resource('authorization-policy', policy()));
  expect(planned.take(guarded)).toEqual(['rules', '1 enrolments']);
  planned.planner.rulesRefused();
  expect(planned.take(guarded)).toEqual(['rules', '1 enrolments']);
  planned.planner.restart();
  expect(planned.settle()).toEqual(['rules', 'namespaces', '1 enrolments']);
});

test('while capture takes rules in, changes wait, and what follows from them too', () => {
  const planned = new Planned();
  planned.take(snapshotOf(...plain));
  planned.applies = false;
  const guarded = snapshotOf(...plain, resource('authorization-policy', policy()));
  expect(planned.take(guarded)).toEqual(['rules', '1 enrolments']);
  expect(planned.take(snapshotOf(...plain))).toEqual([]);
  planned.planner.rulesApplied();
  expect(planned.settle()).toEqual(['rules', '1 enrolments']);
  // Nothing came meanwhile.
  planned.planner.rulesApplied();
  expect(planned.settle()).toEqual([]);
  // A capture that is gone takes nothing in.
  expect(planned.take(guarded)).toEqual(['rules', '1 enrolments']);
  planned.planner.restart();
  expect(planned.settle()).toEqual(['rules', 'namespaces', '1 enrolments']);
});

test('a proxy that does not lead tells capture nothing, nor does one that stopped', () => {
  const planned = new Planned();
  planned.standing = 'superseded';
  expect(planned.take(snapshotOf(...plain))).toEqual([]);
  planned.standing = 'leading';
  planned.take(snapshotOf(...plain));
  planned.planner.schedule();
  planned.planner.stop();
  expect(planned.settle()).toEqual([]);
});
