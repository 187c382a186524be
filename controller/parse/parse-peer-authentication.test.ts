import { parse } from 'yaml';
import { formatPath } from './field-problem.js';
import { parseManifest } from './parse-manifest.js';

function read(rest: string) {
  const fields = parse(rest) as object;
  const metadata = { name: 'x', namespace: 'shop' };
  return parseManifest({ apiVersion: 'weft.dev/v1alpha1', kind: 'PeerAuthentication', metadata, ...fields });
}

const peer = (rest: string) => {
  const parsed = read(rest);
  if (parsed.type !== 'manifest') throw new Error(JSON.stringify(parsed));
  return 'peerAuthentication' in parsed.manifest ? parsed.manifest.peerAuthentication : null;
};

test('a mode for the namespace, for workloads, and for ports of theirs', () => {
  expect(peer('spec: {mode: Strict}')).toMatchObject({
    labels: null,
    mode: 'strict',
    ports: {},
    broken: false,
  });
  expect(
    peer('spec: {selector: {matchLabels: {app: web}}, ports: [{port: 80, mode: Disabled}]}'),
  ).toMatchObject({ labels: { app: 'web' }, mode: null, ports: { 80: 'disabled' } });
});

test.each([
  ['nothing said', 'spec: {}', 'spec.mode', /is missing/],
  ['unknown mode', 'spec: {mode: strict}', 'spec.mode', /not a known value/],
  ['no spec', '{}', 'spec', /is missing/],
  ['misspelt field', 'spec: {mode: Strict, port: []}', 'spec.port', /not a known field/],
  ['empty selector', 'spec: {mode: Strict, selector: {}}', 'spec.selector.matchLabels', /is empty/],
  ['ports without selector', 'spec: {ports: [{port: 80, mode: Strict}]}', 'spec.ports', /needs a selector/],
  [
    'a port twice',
    'spec: {selector: {matchLabels: {a: b}}, ports: [{port: 80, mode: Strict}, {port: 80, mode: Disabled}]}',
    'spec.ports[1].port',
    /given twice/,
  ],
  [
    'a port without mode',
    'spec: {selector: {matchLabels: {a: b}}, ports: [{port: 80}]}',
    'spec.ports[0].mode',
    /is missing/,
  ],
])('%s is refused, and its target is strict', (_, rest, field, message) => {
  const parsed = read(rest);
  if (parsed.type !== 'refused') throw new Error('it was taken');
  expect(parsed.problems.map(({ path }) => formatPath(path))).toContain(field);
  expect(parsed.problems.some((problem) => message.test(problem.message))).toBe(true);
  expect(parsed.fallback).toMatchObject({
    peerAuthentication: { mode: 'strict', broken: true, namespace: 'shop' },
  });
});

test('a broken one stays with its target where that can be read, and takes the namespace where not', () => {
  const fallback = (rest: string) => {
    const parsed = read(rest);
    const manifest = parsed.type === 'refused' ? parsed.fallback : null;
    return manifest !== null && 'peerAuthentication' in manifest
      ? manifest.peerAuthentication.labels
      : undefined;
  };
  expect(fallback('spec: {mode: x, selector: {matchLabels: {app: web}}}')).toEqual({ app: 'web' });
  expect(fallback('spec: {mode: x, selector: {matchLabels: {app: 7}}}')).toBeNull();
});
