import { createLog } from '../status/log.js';
import { NodeRefusals } from './node-refusals.js';
import { refuse } from './refusal.js';

test('a flood of refusals is counted whole, and fills no log', () => {
  const lines: string[] = [];
  let nowMs = 0;
  const log = createLog(
    (line) => lines.push(line),
    () => new Date(0),
  );
  const refusals = new NodeRefusals(log, () => nowMs);
  const record = () =>
    refusals.record({ address: '192.0.2.1' }, refuse('node_not_authenticated', 'a stranger'));
  for (let count = 0; count < 1000; count += 1) record();
  expect(lines).toHaveLength(20);
  nowMs = 1000;
  record();
  expect(lines.slice(20).map((line) => (JSON.parse(line) as { message: string }).message)).toEqual([
    '980 more refusals of that second are not in this log',
    'a node was refused: a stranger',
  ]);
  expect(refusals.counts).toEqual(new Map([['node_not_authenticated', 1001]]));
});
