import { Action, Direction } from '../../../native/engine.js';
import { PausedTimers } from '../control/paused-timers.js';
import { ConnectionRecord } from './connection-record.js';
import { HeldConnections } from './held-connections.js';
import type { VerdictWriter } from './verdict-writer.js';

function setUp() {
  const timers = new PausedTimers();
  const resumed: string[] = [];
  const verdict = { park: () => {} } as unknown as VerdictWriter;
  const held = new HeldConnections(
    { resume: (id, _generation, { action }) => resumed.push(`${id} ${action}`) > 0 },
    verdict,
    timers,
  );
  const hold = (id: number, direction: number) => {
    const connection = new ConnectionRecord(id);
    connection.action = Action.park;
    connection.direction = direction;
    held.hold(id, 1, connection);
    return connection;
  };
  return { timers, resumed, held, hold };
}

test('a caller that may be a new pod waits longer for its address to be known than a connection to nobody', () => {
  const { timers, resumed, held, hold } = setUp();
  hold(1, Direction.inbound);
  timers.advance(1_000);
  hold(2, Direction.outbound);
  timers.advance(1_999);
  expect(resumed).toEqual([]);
  timers.advance(1);
  expect(resumed).toEqual([`2 ${Action.reset}`]);
  timers.advance(56_999);
  expect(held.size).toBe(1);
  timers.advance(1);
  expect([resumed.at(-1), held.size]).toEqual([`1 ${Action.reset}`, 0]);
});

test('what a new snapshot decides goes on, the rest waits on, and who has left is forgotten', () => {
  const { timers, resumed, held, hold } = setUp();
  const first = hold(1, Direction.inbound);
  const second = hold(2, Direction.inbound);
  held.retry((connection) => {
    if (connection === first) connection.action = Action.http;
  });
  expect(resumed).toEqual([`1 ${Action.http}`]);
  held.forget(second);
  timers.advance(60_000);
  expect([resumed.length, held.size]).toEqual([1, 0]);
});
