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
    setEndpoint: (id, { address, port, destination, generation, transport, identity }) => {
      const how = [transport, identity].join(' ').trim();
      calls.push(`set ${id} ${address}:${port} of ${destination}, ${how}, ${generation}`);
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
  expect([table.plaintextId(entry), table.plaintextId(entry)]).toEqual([1, 1]);
  table.plaintextId(table.entryOf(candidate('10.0.0.1', 'a', 81), 5));
  table.plaintextId(table.entryOf(candidate('10.0.0.2', 'b'), 5));
  expect(calls).toEqual([
    'set 1 10.0.0.1:80 of 1, plaintext, 1',
    'set 2 10.0.0.1:81 of 1, plaintext, 2',
    'set 3 10.0.0.2:80 of 2, plaintext, 3',
  ]);
  expect(table.find(1)).toBe(entry);
});

test('plaintext and TLS to one endpoint are two numbers with one load, and never share a connection', () => {
  const { table, calls } = harness();
  const entry = table.entryOf(candidate('10.0.0.1', 'a'), 0);
  expect([table.tlsId(entry, 'spiffe://m/ns/s/sa/a'), table.plaintextId(entry)]).toEqual([1, 2]);
  expect([table.find(1), table.find(2)]).toEqual([entry, entry]);
  expect(calls).toEqual([
    'set 1 10.0.0.1:80 of 1, tls spiffe://m/ns/s/sa/a, 1',
    'set 2 10.0.0.1:80 of 1, plaintext, 2',
  ]);
});

test('a workload that is another one now must prove that, on connections of its own', () => {
  const { table, calls } = harness();
  const entry = table.entryOf(candidate('10.0.0.1', 'a'), 0);
  table.tlsId(entry, 'spiffe://m/ns/s/sa/a');
  expect(table.tlsId(entry, 'spiffe://m/ns/s/sa/b')).toBe(2);
  expect(calls.slice(1)).toEqual(['remove 1', 'set 2 10.0.0.1:80 of 1, tls spiffe://m/ns/s/sa/b, 2']);
  expect(table.find(1)).toBeUndefined();
});

test('an address that went to another workload is another endpoint', () => {
  const { table, calls } = harness();
  table.plaintextId(table.entryOf(candidate('10.0.0.1', 'a'), 0));
  table.plaintextId(table.entryOf(candidate('10.0.0.1', 'b'), 0));
  expect(calls).toEqual([
    'set 1 10.0.0.1:80 of 1, plaintext, 1',
    'remove 1',
    'set 2 10.0.0.1:80 of 2, plaintext, 2',
  ]);
  expect(table.find(1)).toBeUndefined();
});

test('an idle endpoint is forgotten, one with an attempt under way is not', () => {
  const { table, calls } = harness();
  const idle = table.entryOf(candidate('10.0.0.1', 'a'), 0);
  table.plaintextId(idle);
  table.tlsId(idle, 'spiffe://m/ns/s/sa/a');
  table.entryOf(candidate('10.0.0.2', 'b'), 0).load.inFlight = 1;
  table.sweep(120_000);
  expect(table.size).toBe(2);
  table.sweep(120_001);
  expect(calls.slice(2)).toEqual(['remove 1', 'remove 2']);
  expect(table.size).toBe(1);
});
