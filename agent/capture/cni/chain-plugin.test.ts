import { type ChainEntry, chainPlugin, networkFiles, unchainPlugin } from './chain-plugin.js';

const entry: ChainEntry = {
  socket: '/run/weft/cni.sock',
  namespacesFile: '/var/lib/weft/enrolled-namespaces.json',
  exemptNamespaces: ['kube-system'],
  waitMs: 20_000,
};
const ours = { type: 'weft-cni', ...entry };
const list = (...plugins: unknown[]) =>
  JSON.stringify({ cniVersion: '1.0.0', name: 'pods', custom: { kept: true }, plugins });
const bridge = { type: 'bridge', ipam: { type: 'host-local' } };
const portmap = { type: 'portmap', capabilities: { portMappings: true } };

const changed = (text: string): unknown => {
  const chaining = chainPlugin(text, entry);
  return chaining.kind === 'changed' ? JSON.parse(chaining.text) : chaining.kind;
};

test('the plugin comes last, and all else of the network stays as it is', () => {
  expect(changed(list(bridge, portmap))).toEqual(JSON.parse(list(bridge, portmap, ours)));
});

test('a network that has it last, with this very entry, is not written again', () => {
  expect(changed(list(bridge, portmap, ours))).toBe('chained');
});

test.each([
  ['another comes after it', list(bridge, ours, portmap)],
  ['its entry is an older one', list(bridge, portmap, { ...ours, waitMs: 1 })],
  ['it is there twice', list(bridge, ours, portmap, ours)],
])('it is put right where %s', (_what, text) => {
  expect(changed(text)).toEqual(JSON.parse(list(bridge, portmap, ours)));
});

test.each([
  ['', 'no-network'],
  ['{', 'no-network'],
  ['[]', 'no-network'],
  ['{"plugins":[]}', 'no-network'],
  ['{"name":"pods","type":"bridge"}', 'no-list'],
])('what is no list of plugins is left alone: %s', (text, kind) => {
  expect(changed(text)).toBe(kind);
  expect(unchainPlugin(text)).toBeUndefined();
});

test('taking it out leaves what was before', () => {
  const chaining = chainPlugin(list(bridge, portmap), entry);
  const text = chaining.kind === 'changed' ? chaining.text : '';
  expect(JSON.parse(unchainPlugin(text) ?? '')).toEqual(JSON.parse(list(bridge, portmap)));
  expect(unchainPlugin(list(bridge, portmap))).toBeUndefined();
});

test('networks are looked at in the runtime’s order, and nothing else is', () => {
  const names = ['20-b.conflist', '.weft-cni.next', '10-a.conf', 'README', '10-a.conflist.bak', '99-c.json'];
  expect(networkFiles(names)).toEqual(['10-a.conf', '20-b.conflist', '99-c.json']);
});
