import { mkdtempSync, rmSync } from 'node:fs';
import { chmod, mkdir, open, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FolderSource } from './folder-source.js';
import { maxFileBytes } from './read-documents.js';
import type { SourceChange } from './source.js';

let folder: string;
let source: FolderSource;
let changes: SourceChange[];
let troubles: string[];
let check: () => void;

const at = (name: string) => join(folder, name);
const document = (name: string) => `kind: Test\nname: ${name}\n`;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weft-f-'));
  changes = [];
  troubles = [];
  check = () => {};
  source = new FolderSource({
    folder,
    onTrouble: (error) => {
      troubles.push(error.message);
      check();
    },
  });
});

afterEach(() => {
  source.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function start(): Promise<void> {
  await source.start((batch) => {
    changes.push(...batch);
    check();
  });
}

function waitFor(what: string, condition: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`no ${what}; changes: ${JSON.stringify(changes)}`)),
      5000,
    );
    check = () => {
      if (!condition()) return;
      clearTimeout(timer);
      resolve();
    };
    check();
  });
}

const waitForTrouble = () => waitFor('trouble', () => troubles.length > 0);

/** Each change in short: `name` with the names of its documents, or its type. */
function seen(): string[] {
  return changes.map((change) => {
    const name = change.origin.slice(folder.length + 1);
    if (change.type !== 'holds') return `${name} ${change.type}`;
    return `${name}: ${change.documents.map(({ value }) => (value as { name: string }).name).join(' ')}`;
  });
}

test('tells everything that lies there at first, subfolders too, and nothing that is no manifest', async () => {
  await mkdir(at('team'));
  await mkdir(at('.git'));
  for (const name of [
    'a.yaml',
    'team/b.yml',
    'c.json',
    '.hidden.yaml',
    '.git/d.yaml',
    'e.yaml~',
    '#f.yaml#',
    'g.txt',
  ]) {
    await writeFile(at(name), name === 'c.json' ? '{"kind":"Test","name":"c"}\n' : document(name[0] ?? ''));
  }
  await start();
  expect(seen().sort()).toEqual(['a.yaml: a', 'c.json: c', 'team/b.yml: t']);
});

test('an empty folder is told as such, and a missing one is an error that names it', async () => {
  await start();
  expect(changes).toEqual([]);
  const missing = new FolderSource({ folder: at('missing'), onTrouble: () => {} });
  await expect(missing.start(() => {})).rejects.toThrow(/cannot read the folder .*missing/);
});

test('files and folders that come, change and go are told', async () => {
  await start();
  await mkdir(at('new'));
  await writeFile(at('new/a.yaml'), document('one'));
  await waitFor('first version', () => seen().includes('new/a.yaml: one'));
  await writeFile(at('new/a.yaml'), document('two'));
  await waitFor('second version', () => seen().includes('new/a.yaml: two'));
  await rm(at('new'), { recursive: true });
  await waitFor('end', () => seen().includes('new/a.yaml gone'));
});

test('a folder that vanishes is told once and keeps what it held; one that comes back is read again', async () => {
  await writeFile(at('a.yaml'), document('one'));
  await start();
  await rename(folder, `${folder}-away`);
  try {
    await waitForTrouble();
    await mkdir(`${folder}-new`);
    await writeFile(`${folder}-new/a.yaml`, document('two'));
    await rename(`${folder}-new`, folder);
    await waitFor('second version', () => seen().includes('a.yaml: two'));
    await writeFile(at('a.yaml'), document('three'));
    await waitFor('third version', () => seen().includes('a.yaml: three'));
    expect(seen()).toEqual(['a.yaml: one', 'a.yaml: two', 'a.yaml: three']);
    expect(troubles).toEqual([`cannot read the folder ${folder}`]);
  } finally {
    rmSync(`${folder}-away`, { recursive: true });
  }
});

test('an editor that renames the old file away and writes a new one never makes it vanish', async () => {
  await writeFile(at('a.yaml'), document('one'));
  await start();
  await rename(at('a.yaml'), at('a.yaml~'));
  await writeFile(at('a.yaml'), document('two'));
  await rm(at('a.yaml~'));
  await waitFor('second version', () => seen().includes('a.yaml: two'));
  expect(seen()).toEqual(['a.yaml: one', 'a.yaml: two']);
});

test('a file that is written in pieces is told when it is whole', async () => {
  await writeFile(at('a.yaml'), document('one'));
  await start();
  const file = await open(at('a.yaml'), 'w');
  for (const piece of ['kind: Te', 'st\nname: t', 'wo\n---\nkind: Test\nna', 'me: three\n']) {
    await file.write(piece);
    await file.datasync();
    // Long enough for the watcher to look at the half file, which ends within a line.
    await new Promise((resolve) => setTimeout(resolve, 80));
  }
  await file.close();
  await waitFor('whole file', () => seen().includes('a.yaml: two three'));
  expect(seen()).toEqual(['a.yaml: one', 'a.yaml: two three']);
});

test('a burst of edits is told as few changes, the last one among them, within 200 ms of it', async () => {
  await start();
  for (let edit = 1; edit <= 100; edit += 1) {
    await writeFile(at('.tmp'), document(`v${edit}`));
    await rename(at('.tmp'), at('a.yaml'));
  }
  const begun = performance.now();
  await waitFor('last edit', () => seen().at(-1) === 'a.yaml: v100');
  expect(performance.now() - begun).toBeLessThan(200);
  expect(changes.length).toBeLessThan(20);
});

test('a Kubernetes volume, whose files are links that are swapped at once, is told on each swap', async () => {
  await mkdir(at('..v1'));
  await writeFile(at('..v1/a.yaml'), document('one'));
  await symlink('..v1', at('..data'));
  await symlink('..data/a.yaml', at('a.yaml'));
  await start();
  await mkdir(at('..v2'));
  await writeFile(at('..v2/a.yaml'), document('two'));
  await symlink('..v2', at('..data_tmp'));
  await rename(at('..data_tmp'), at('..data'));
  await waitFor('second version', () => seen().includes('a.yaml: two'));
  expect(seen()).toEqual(['a.yaml: one', 'a.yaml: two']);
});

test('what cannot be read is told with its cause: bad YAML, wrong encoding, too large', async () => {
  await writeFile(at('a.yaml'), 'kind: [\n');
  await writeFile(at('b.yaml'), Buffer.from([0x6b, 0xff, 0xfe, 0x0a]));
  await writeFile(at('c.yaml'), `${'#'.repeat(maxFileBytes)}\n`);
  await writeFile(at('d.yaml'), `a: ${'['.repeat(100_000)}\n`);
  await start();
  const messages = changes.map((change) => (change.type === 'unreadable' ? change.message : change.type));
  expect(messages).toEqual([
    expect.stringMatching(/is no valid YAML/),
    'is not UTF-8',
    `is larger than ${maxFileBytes} bytes`,
    expect.any(String),
  ]);
  await chmod(at('a.yaml'), 0o600);
});

test('a bomb of aliases is refused, not expanded', async () => {
  const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]'];
  for (let level = 1; level < 9; level += 1) {
    const [one, before] = [String.fromCharCode(97 + level), String.fromCharCode(96 + level)];
    bomb.push(`${one}: &${one} [${new Array(9).fill(`*${before}`).join(',')}]`);
  }
  await writeFile(at('a.yaml'), `${bomb.join('\n')}\n`);
  await start();
  expect(changes).toMatchObject([{ type: 'unreadable', message: expect.stringMatching(/alias/i) }]);
});
