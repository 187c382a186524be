// Checks what neither the compiler nor biome sees: file names, sizes, licence headers, and that no room imports one
// that it may not (docs: ARCHITECTURE.md). Prints every finding; exits 1 if there is one.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';

const root = join(import.meta.dirname, '..');
const maxLines = 400;
// A list of cases may be longer than what it tests.
const maxTestLines = 600;

// Which rooms a room's TypeScript may import besides itself.
const mayImport = {
  reasons: [],
  model: ['reasons'],
  proto: ['model', 'reasons'],
  native: ['reasons'],
  'agent/handover': ['reasons', 'model', 'native'],
  'agent/capture': ['reasons', 'model', 'native', 'agent/handover'],
  'agent/proxy': ['reasons', 'model', 'proto', 'native', 'agent/handover'],
  controller: ['reasons', 'model', 'proto'],
  cli: ['reasons', 'model', 'proto', 'controller', 'agent/handover'],
};

const generated =
  /^(.*\/generated\/.*|reasons\/reasons\.ts|native\/engine\/reasons\.hpp|bpf\/reasons\.h|package-lock\.json|LICENSE)$|layout\.ts$/;
const vagueNames = /^(utils?|helpers?|common|misc)$/;
const findings = [];

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => /\.(ts|mjs|js|py|c|h|cc|cpp|hpp)$/.test(file) && !file.startsWith('test/cluster/'));

for (const file of files) {
  let text;
  try {
    text = readFileSync(join(root, file), 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') continue;
    throw error;
  }
  if (!generated.test(file)) {
    checkName(file);
    checkSize(file, text);
  }
  if (/\.(c|h|cc|cpp|hpp)$/.test(file)) checkLicence(file, text);
  if (/^model\/.*(?<!\.test)\.ts$/.test(file)) checkModelImports(file, text);
}

checkReferences();
for (const finding of findings) process.stderr.write(`${finding}\n`);
process.stderr.write(`layout: ${files.length} files, ${findings.length} findings\n`);
process.exitCode = findings.length === 0 ? 0 : 1;

function checkName(file) {
  const stem = basename(file).split('.')[0] ?? '';
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(stem) && !/\.(c|h|cc|cpp|hpp)$/.test(file)) {
    findings.push(`${file}: file names are kebab-case`);
  }
  for (const part of [...dirname(file).split('/'), stem]) {
    if (vagueNames.test(part)) findings.push(`${file}: '${part}' says nothing; name what is in it`);
  }
}

function checkSize(file, text) {
  const lines = text.split('\n').length;
  const most = /\.test\.(ts|cc)$/.test(file) ? maxTestLines : maxLines;
  if (lines > most && !text.slice(0, 2000).includes('Long because')) {
    findings.push(`${file}: ${lines} lines; more than ${most} need a line 'Long because …' at the top`);
  }
}

function checkLicence(file, text) {
  const wanted =
    file.startsWith('bpf/') || file.endsWith('.bpf.c') ? 'GPL-2.0 OR BSD-2-Clause' : 'Apache-2.0';
  if (!text.slice(0, 200).includes(`SPDX-License-Identifier: ${wanted}`)) {
    findings.push(`${file}: first line must be SPDX-License-Identifier: ${wanted}`);
  }
}

/** model/ decides and does nothing else: no platform, no other package but the linear-time regular expressions. */
function checkModelImports(file, text) {
  for (const [, target] of text.matchAll(/(?:from|import)\s*\(?\s*'([^'.][^']*)'/g)) {
    if (target !== 're2js') findings.push(`${file}: model/ is pure and may not import ${target}`);
  }
}

/** The compiler lets a room import what its tsconfig.json refers to; this table says what it may refer to. */
function checkReferences() {
  for (const [room, allowed] of Object.entries(mayImport)) {
    const { references = [] } = JSON.parse(readFileSync(join(root, room, 'tsconfig.json'), 'utf8'));
    for (const { path } of references) {
      const other = normalize(join(room, path));
      if (!allowed.includes(other))
        findings.push(`${room}/tsconfig.json: room ${room} may not import ${other}`);
    }
  }
}
