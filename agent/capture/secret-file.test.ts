import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeSecretName } from '../handover/messages.js';
import { SecretFile } from './secret-file.js';
import { Vault } from './vault.js';

let folder: string;
let path: string;
let log: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weft-key-'));
  path = join(folder, 'node.key');
  log = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

const file = () =>
  new SecretFile(path, (_, message, details) => void log.push(`${message} ${JSON.stringify(details)}`));

test('the next vault begins with the node`s own secret, and with no other', () => {
  const vault = new Vault(file());
  expect(vault.entries).toEqual([]);
  vault.put('uid-1', 'd29ya2xvYWQ=');
  vault.put(nodeSecretName, 'bm9kZQ==');
  expect(new Vault(file()).entries).toEqual([{ workload: nodeSecretName, secret: 'bm9kZQ==' }]);
  vault.put(nodeSecretName, 'bmV4dA==');
  expect(new Vault(file()).get(nodeSecretName)).toBe('bmV4dA==');
  expect(readdirSync(folder)).toEqual(['node.key']);
  expect(readFileSync(path, 'utf8')).toBe('bmV4dA==\n');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  vault.drop('uid-1');
  expect(existsSync(path)).toBe(true);
  vault.drop(nodeSecretName);
  expect(existsSync(path)).toBe(false);
  expect(log).toEqual([]);
});

test.each([
  ['others may read', () => chmodSync(path, 0o640), /others may read or write it/],
  ['holds no secret', () => writeFileSync(path, 'a key?\n'), /it holds no secret/],
  ['is too long', () => writeFileSync(path, 'A'.repeat(70_000)), /more than a secret does/],
  [
    'is a link',
    () => {
      writeFileSync(`${path}.other`, 'bm9kZQ==\n', { mode: 0o600 });
      rmSync(path);
      symlinkSync(`${path}.other`, path);
    },
    /ELOOP/,
  ],
])('a file that %s is not used, and that is said without what is in it', (_, spoil, message) => {
  file().write('bm9kZQ==');
  spoil();
  expect(file().read()).toBeNull();
  expect(log).toEqual([expect.stringMatching(message)]);
  expect(log.join()).not.toMatch(/bm9kZQ|a key/);
});

test('a folder that others may write, or that is a link, is refused', () => {
  chmodSync(folder, 0o777);
  expect(file).toThrow(/must be a folder of root that nobody else may write/);
  chmodSync(folder, 0o700);
  mkdirSync(join(folder, 'real'));
  symlinkSync(join(folder, 'real'), join(folder, 'link'));
  path = join(folder, 'link', 'node.key');
  expect(file).toThrow(/must be a folder of root/);
});

test('what somebody else has put where the next file is drafted is not written through', () => {
  const victim = join(folder, 'victim');
  writeFileSync(victim, 'untouched');
  symlinkSync(victim, `${path}.next`);
  file().write('bm9kZQ==');
  expect(readFileSync(victim, 'utf8')).toBe('untouched');
  expect(file().read()).toBe('bm9kZQ==');
});

test('where it cannot be written the secret is kept in memory, and that is said', () => {
  mkdirSync(path);
  const vault = new Vault(file());
  vault.put(nodeSecretName, 'bm9kZQ==');
  expect(vault.get(nodeSecretName)).toBe('bm9kZQ==');
  expect(log).toHaveLength(2);
  expect(log[1]).toMatch(/cannot be written/);
});
