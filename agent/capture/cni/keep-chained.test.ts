import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChainKeeper } from './keep-chained.js';
import { chainInto, removeProgram, unchainAll } from './plugin-files.js';

const folders: string[] = [];
const keepers: ChainKeeper[] = [];

afterEach(() => {
  for (const keeper of keepers.splice(0)) keeper.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const entry = { socket: '/s', namespacesFile: '/n', exemptNamespaces: [], waitMs: 1 };
const network = (name: string) =>
  JSON.stringify({ cniVersion: '1.0.0', name, plugins: [{ type: 'bridge' }] });

function setUp(files: Record<string, string>) {
  const folder = mkdtempSync(join(tmpdir(), 'weft-cni-'));
  folders.push(folder);
  const config = join(folder, 'net.d');
  const programs = join(folder, 'bin');
  for (const path of [config, programs]) mkdirSync(path);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(config, name), text, { mode: 0o640 });
  writeFileSync(join(folder, 'weft-cni'), 'program');
  let known = true;
  const said: string[] = [];
  let wake = () => {};
  const keeper = new ChainKeeper({
    entry,
    program: join(folder, 'weft-cni'),
    configFolder: config,
    programFolder: programs,
    mayChain: () => known,
    after: (delayMs, call) => {
      const timer = setTimeout(call, Math.min(delayMs, 20));
      return { cancel: () => clearTimeout(timer) };
    },
    log: (level, message) => {
      said.push(`${level}: ${message}`);
      wake();
    },
  });
  keepers.push(keeper);
  const plugins = (name: string) =>
    JSON.parse(readFileSync(join(config, name), 'utf8')).plugins.map(({ type }: { type: string }) => type);
  const nextWord = () => new Promise<void>((resolve) => (wake = resolve));
  return { config, programs, keeper, plugins, said, nextWord, setKnown: (value: boolean) => (known = value) };
}

test('program and entry are installed, the file keeps its mode, and nothing half written is left', () => {
  const { config, programs, keeper, plugins } = setUp({ '10-a.conflist': network('a') });
  keeper.start();
  expect(plugins('10-a.conflist')).toEqual(['bridge', 'weft-cni']);
  expect(statSync(join(config, '10-a.conflist')).mode & 0o777).toBe(0o640);
  expect(statSync(join(programs, 'weft-cni')).mode & 0o777).toBe(0o755);
  expect([...readdirSync(config), ...readdirSync(programs)]).toEqual(['10-a.conflist', 'weft-cni']);
});

test('before the namespaces are known nothing is chained', async () => {
  const { keeper, plugins, nextWord, setKnown, programs } = setUp({ '10-a.conflist': network('a') });
  setKnown(false);
  keeper.start();
  expect([plugins('10-a.conflist'), existsSync(join(programs, 'weft-cni'))]).toEqual([['bridge'], false]);
  setKnown(true);
  await nextWord();
  expect(plugins('10-a.conflist')).toEqual(['bridge', 'weft-cni']);
});

test('another that rewrites the network loses the entry only for a moment', async () => {
  const { config, keeper, plugins, nextWord } = setUp({ '10-a.conflist': network('a') });
  keeper.start();
  const again = nextWord();
  writeFileSync(join(config, '10-a.conflist'), network('b'));
  await again;
  expect(plugins('10-a.conflist')).toEqual(['bridge', 'weft-cni']);
});

test('a network that comes before the one of now gets the entry, and the other loses it', async () => {
  const { config, keeper, plugins, nextWord } = setUp({
    '10-a.conflist': network('a'),
    '05-broken.conf': '{',
  });
  keeper.start();
  const again = nextWord();
  writeFileSync(join(config, '00-first.conflist'), network('first'));
  await again;
  expect([plugins('00-first.conflist'), plugins('10-a.conflist')]).toEqual([
    ['bridge', 'weft-cni'],
    ['bridge'],
  ]);
});

test('what cannot be chained to is said once', () => {
  const { keeper, said, config } = setUp({ '10-a.conf': '{"name":"a","type":"bridge"}' });
  keeper.start();
  keeper.start();
  expect(said).toEqual(['warn: the pods’ network is no list of plugins: weft-cni cannot be chained to it']);
  expect(chainInto(config, entry).kind).toBe('no-list');
});

test('cleaning takes it out of every network, then the program away', () => {
  const { config, programs, keeper, plugins } = setUp({ '10-a.conflist': network('a') });
  keeper.start();
  keeper.close();
  expect(unchainAll(config)).toEqual([join(config, '10-a.conflist')]);
  removeProgram(programs);
  expect([plugins('10-a.conflist'), readdirSync(programs)]).toEqual([['bridge'], []]);
  expect(unchainAll(config)).toEqual([]);
});
