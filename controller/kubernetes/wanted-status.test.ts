import type { StatusProblem } from '../resources/status-problem.js';
import { readApiObject } from './api-object.js';
import type { NodeRefusal } from './describe-status.js';
import { watchedTypes } from './resource-type.js';
import { type StatusRecord, StatusRecords } from './status-record.js';
import { wantStatus } from './wanted-status.js';

const now = '2026-02-02T00:00:00Z';
const reach = { version: 7, nodes: 3, reachedNodes: 2 };

function record(kind: string, fields: object, version = '1'): StatusRecord {
  const type = watchedTypes.find((one) => one.kind === kind);
  const metadata = { namespace: 'shop', name: 'x', uid: 'u', resourceVersion: version, generation: 4 };
  const object = readApiObject({ metadata, ...fields }, 'v1', kind);
  if (type === undefined || object === null) throw new Error(kind);
  const records = new StatusRecords();
  records.observe(type, [{ type: 'put', key: 'shop/x', object, replaced: false }]);
  const found = records.get(`${type.kind} shop/x`);
  if (found === undefined) throw new Error('no record');
  return found;
}

function problem(fields: Partial<StatusProblem>): StatusProblem {
  const place = { origin: 'o', line: 0, kind: 'HTTPRoute', namespace: 'shop', name: 'x' };
  const text = { field: 'spec', value: '', message: 'is wrong', fix: 'mend it' };
  return { severity: 'error', ...place, ...text, inForce: 'nothing', ...fields };
}

function want(of: StatusRecord, problems: StatusProblem[] = [], refusals: NodeRefusal[] = []) {
  return wantStatus(of, { problems, refusals, reach }, now);
}

const service = { group: '', kind: 'Service', name: 'web' };

test('a status that says what it shall is not written, whatever the order of its fields', () => {
  const first = want(record('HTTPRoute', { spec: { parentRefs: [service] } })) as { parents: object[] };
  const shuffled = first.parents.map((parent) => Object.fromEntries(Object.entries(parent).reverse()));
  const after = record('HTTPRoute', { spec: { parentRefs: [service] }, status: { parents: shuffled } });
  expect(want(after)).toBeNull();
});

test('a route without Service among its parents is none of our business', () => {
  expect(want(record('HTTPRoute', { spec: { parentRefs: [{ name: 'gateway' }] } }))).toBeNull();
  expect(want(record('HTTPRoute', { spec: { parentRefs: [{ ...service, group: 'x' }] } }))).toBeNull();
});

test('a node that refuses a route is named, with the field', () => {
  const route = record('HTTPRoute', { spec: { parentRefs: [service] } });
  const refusal = { node: 'node2', field: 'rules[0]', message: 'too large' };
  expect(want(route, [], [refusal])).toMatchObject({
    parents: [
      {
        conditions: [
          { type: 'Accepted', status: 'True' },
          { type: 'ResolvedRefs', status: 'True' },
          { type: 'PartiallyInvalid', message: 'Fall Back: node node2 refuses rules[0]: too large' },
        ],
      },
    ],
  });
});

test('the time of a transition is that of the status, not of its reason', () => {
  const status = (reason: string, value: string) => ({
    conditions: [
      { type: 'Accepted', status: value, reason, message: '', lastTransitionTime: '2026-01-01T00:00:00Z' },
    ],
  });
  const refused = problem({ kind: 'AuthorizationPolicy', message: 'is odd', inForce: 'closed' });
  const kept = want(record('AuthorizationPolicy', { status: status('Old', 'False') }), [refused]);
  expect(kept).toMatchObject({ conditions: [{ lastTransitionTime: '2026-01-01T00:00:00Z' }] });
  const turned = want(record('AuthorizationPolicy', { status: status('Accepted', 'True') }), [refused]);
  expect(turned).toMatchObject({ conditions: [{ status: 'False', lastTransitionTime: now }] });
});

test('a mesh tells how far its configuration has come', () => {
  expect(want(record('Mesh', {}))).toMatchObject({ version: 7, nodes: 3, reachedNodes: 2 });
});

test("of a pod only weft's own conditions are looked at, and one that is over is taken away", () => {
  const ready = { type: 'Ready', status: 'True' };
  expect(want(record('Pod', { status: { conditions: [ready] } }))).toBeNull();
  const own = { type: 'weft.dev/Enrolled', status: 'False', reason: 'HostNetwork', message: '' };
  expect(want(record('Pod', { status: { conditions: [ready, own] } }))).toEqual({ conditions: [] });
});

test('a message is bounded', () => {
  const long = problem({ kind: 'AuthorizationPolicy', message: 'x'.repeat(5000) });
  const wanted = want(record('AuthorizationPolicy', {}), [long]) as { conditions: { message: string }[] };
  expect(wanted.conditions[0]?.message).toHaveLength(1024);
});

test('what a write returned is not undone by an older event', () => {
  const type = watchedTypes.find(({ kind }) => kind === 'Mesh');
  const records = new StatusRecords();
  const object = (resourceVersion: string) =>
    readApiObject({ metadata: { name: 'x', uid: 'u', resourceVersion } }, 'v1', 'Mesh');
  const put = (version: string) => {
    const read = object(version);
    if (type === undefined || read === null) throw new Error('unreadable');
    records.observe(type, [{ type: 'put', key: 'x', object: read, replaced: false }]);
  };
  put('9');
  put('10');
  put('9');
  expect([...records.keys()].map((key) => records.get(key)?.resourceVersion)).toEqual(['10']);
});
