import type { NodeReportMessage } from '../../../proto/messages.js';
import { PausedTimers } from './paused-timers.js';
import { NodeReporter, type WorkloadStanding } from './report-node.js';

function harness() {
  const timers = new PausedTimers();
  const sent: NodeReportMessage[] = [];
  const state = { settled: true, standings: [] as WorkloadStanding[] };
  const reporter = new NodeReporter({
    standings: () => state.standings,
    settled: () => state.settled,
    send: (report) => void sent.push(report),
    timers,
  });
  return { timers, sent, state, reporter };
}

const cart = { uid: 'cart', captured: true, identityReady: true };

test('a stream begins with a report, a burst of changes makes one more, and no change none', () => {
  const { timers, sent, state, reporter } = harness();
  reporter.changed();
  reporter.opened();
  timers.advance(100);
  expect(sent).toEqual([{ workloads: [] }]);
  state.standings = [{ ...cart, identityReady: false }];
  reporter.changed();
  state.standings = [cart];
  reporter.changed();
  timers.advance(100);
  reporter.changed();
  timers.advance(100);
  expect(sent).toEqual([{ workloads: [] }, { workloads: [cart] }]);
});

test('the first report waits until all has settled, but not for ever', () => {
  const { timers, sent, state, reporter } = harness();
  state.settled = false;
  reporter.opened();
  timers.advance(1000);
  expect(sent).toEqual([]);
  state.settled = true;
  timers.advance(100);
  expect(sent).toHaveLength(1);
  reporter.closed();
  state.settled = false;
  reporter.opened();
  timers.advance(2900);
  expect(sent).toHaveLength(1);
  timers.advance(200);
  expect(sent).toHaveLength(2);
});

test('what a delta releases is reported before it is acknowledged', () => {
  const { timers, sent, state, reporter } = harness();
  state.standings = [cart];
  reporter.opened();
  timers.advance(100);
  reporter.applied();
  expect(sent).toHaveLength(1);
  state.standings = [{ ...cart, captured: false }];
  reporter.applied();
  expect(sent.at(-1)).toEqual({ workloads: [{ ...cart, captured: false }] });
});

test('a new stream is told everything again, a lost one nothing', () => {
  const { timers, sent, state, reporter } = harness();
  state.standings = [cart];
  reporter.opened();
  reporter.closed();
  reporter.changed();
  timers.advance(1000);
  expect(sent).toEqual([]);
  reporter.opened();
  timers.advance(100);
  reporter.closed();
  reporter.opened();
  timers.advance(100);
  expect(sent).toEqual([{ workloads: [cart] }, { workloads: [cart] }]);
});
