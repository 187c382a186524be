import type { Candidate } from '../../../model/choose-endpoint.js';
import { EndpointTable } from './endpoint-table.js';

const candidate = (address: string, workloadUid: string, port = 80): Candidate => ({
  key: `${address}:${port}`,
  address,
  port,
  workloadUid,
  zone: '',
});

function harness() {
  const calls: string[] = [];
  const table = new EndpointTable({
    setEndpoint: (id, endpoint) => {
      calls.push(`set ${id} ${endpoint.address}:${endpoint.port} of ${endpoint.destination}`);
    },
    removeEndpoint: (id) => {
      calls.push(`remove ${id}`);
    },
  });
  return { table, calls };
}

test('an endpoint is made once, and ports of one workload share its destination number', () => {
  const { table, calls } = harness();
  const entry = table.entryOf(candidate('10.0.0.1', 'a'), 0);
  expect(table.entryOf({ ...candidate('10.0.0.1', 'a') }, 5)).toBe(entry);
  table.entryOf(candidate('10.0.0.1', 'a', 81), 5);
  table.entryOf(candidate('10.0.0.2', 'b'), 5);
  expect(calls).toEqual(['set 1 10.0.0.1:80 of 1', 'set 2 10.0.0.1:81 of 1', 'set 3 10.0.0.2:80 of 2']);
  expect(table.find(entry.id)).toBe(entry);
});

test('an address that went to another workload is another endpoint', () => {
  const { table, calls } = harness();
  table.entryOf(candidate('10.0.0.1', 'a'), 0);
  table.entryOf(candidate('10.0.0.1', 'b'), 0);
  expect(calls).toEqual(['set 1 10.0.0.1:80 of 1', 'remove 1', 'set 2 10.0.0.1:80 of 2']);
  expect(table.find(1)).toBeUndefined();
});

test('an idle endpoint is forgotten, one with an attempt under way is not', () => {
  const { table, calls } = harness();
  table.entryOf(candidate('10.0.0.1', 'a'), 0);
  table.entryOf(candidate('10.0.0.2', 'b'), 0).load.inFlight = 1;
  table.sweep(120_000);
  expect(table.size).toBe(2);
  table.sweep(120_001);
  expect(calls.at(-1)).toBe('remove 1');
  expect(table.size).toBe(1);
});
