// Runs the project's test suites one after the other and prints totals; the last line is `N passed, N failed`.
// usage: run-tests.mjs [SUITE...]   (lint, unit, engine, kernel, namespaces; default: all)
// Everything must be built. What the suites say goes to standard error, the totals to standard output.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const reports = join(root, 'build/reports');
mkdirSync(reports, { recursive: true });

/** The build of scripts/fuzz, whose objects the engine's tests share. */
const sanitizedBuild = [
  ...['-DCMAKE_C_COMPILER=clang-22', '-DCMAKE_CXX_COMPILER=clang++-22', '-DCMAKE_BUILD_TYPE=RelWithDebInfo'],
  ...['-DWEFT_FUZZ=ON', '-DWEFT_SANITIZE=address,undefined'],
];

const suites = {
  lint: [
    ['reasons are generated', () => runOne(['node', 'scripts/generate-reasons.mjs', '--check'])],
    ['protobuf types are generated', () => runOne(['node', 'scripts/generate-proto.mjs', '--check'])],
    ['layout of the kernel ABI is generated', () => runOne(['node', 'bpf/generate-layout.mjs', '--check'])],
    ['layout of the source', () => runOne(['node', 'scripts/check-layout.mjs'])],
    ['format and lint rules', () => runOne(['biome', 'ci', '--reporter=summary', '.'])],
    [
      'format of C and C++',
      () => runOne(['clang-format-22', '--dry-run', '-Werror', ...listNativeSources()]),
    ],
  ],
  unit: [['unit tests', () => runJest('unit', [])]],
  engine: [['engine tests, ASan and UBSan', runEngineTests]],
  kernel: [['kernel programs on this kernel', runKernelTests]],
  namespaces: [1, 4].map((workers) => [
    `namespace tests, ${workers === 1 ? '1 worker' : `${workers} workers`}`,
    () =>
      runJest(`namespaces-${workers}`, ['-c', 'test/netns/jest.config.mjs'], {
        WEFT_TEST_WORKERS: `${workers}`,
      }),
  ]),
};

const wanted = process.argv.slice(2);
for (const name of wanted) {
  if (!(name in suites)) {
    process.stderr.write(`run-tests: no suite '${name}'; there are ${Object.keys(suites).join(', ')}\n`);
    process.exit(2);
  }
}

const total = { passed: 0, failed: 0 };
for (const [name, parts] of Object.entries(suites)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  for (const [title, run] of parts) {
    process.stderr.write(`\n==> ${title}\n`);
    const start = performance.now();
    const { passed, failed } = run();
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    process.stdout.write(`${title.padEnd(36)} ${passed} passed, ${failed} failed (${seconds} s)\n`);
    total.passed += passed;
    total.failed += failed;
  }
}
process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;

/** Standard output of a suite goes to standard error, so that the totals stand alone. */
function start([file, ...args], env = {}) {
  return spawnSync(file, args, { cwd: root, stdio: ['ignore', 2, 2], env: { ...process.env, ...env } });
}

/** A command that is one test. */
function runOne(argv) {
  return start(argv).status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

function listNativeSources() {
  const argv = ['ls-files', '*.c', '*.h', '*.cc', '*.hpp', ':!*/reasons.h', ':!*/reasons.hpp'];
  return execFileSync('git', argv, { cwd: root, encoding: 'utf8' }).split('\n').filter(Boolean);
}

function runJest(name, args, env = {}) {
  const report = join(reports, `${name}.json`);
  rmSync(report, { force: true });
  const jest = ['node', '--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];
  start([...jest, ...args, '--json', '--outputFile', report], env);
  if (!existsSync(report)) return { passed: 0, failed: 1 };
  const result = JSON.parse(readFileSync(report, 'utf8'));
  // A file that could not even be loaded, and a test that was skipped, are failures too.
  const failed =
    result.numFailedTests + result.numRuntimeErrorTestSuites + result.numPendingTests + result.numTodoTests;
  return { passed: result.numPassedTests, failed: failed + (result.success || failed > 0 ? 0 : 1) };
}

/** Builds and runs the functional test of the kernel programs (TAP: a plan, then a line per case). */
function runKernelTests() {
  const build = join(root, 'build/kernel-tests');
  const steps = [
    ['cmake', '-S', 'native', '-B', build, '-G', 'Ninja', '-DWEFT_KERNEL_TESTS=ON', '--log-level=WARNING'],
    ['cmake', '--build', build, '--target', 'functional-test'],
  ];
  for (const step of steps) if (start(step).status !== 0) return { passed: 0, failed: 1 };
  const { stdout } = spawnSync(join(build, 'loader/functional-test'), ['build/bpf/weft.bpf.o'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 2],
    encoding: 'utf8',
  });
  process.stderr.write(stdout);
  const planned = Number(/^1\.\.(\d+)$/m.exec(stdout)?.[1] ?? 1);
  const passed = [...stdout.matchAll(/^ok \d+ - /gm)].length;
  return { passed, failed: planned - passed };
}

/** Builds and runs the C++ libraries' own tests. */
function runEngineTests() {
  const build = join(root, 'build/fuzz');
  const report = join(reports, 'engine.xml');
  rmSync(report, { force: true });
  const configure = [
    'cmake',
    '-S',
    'native',
    '-B',
    build,
    '-G',
    'Ninja',
    '-DWEFT_TESTS=ON',
    ...sanitizedBuild,
  ];
  const steps = [
    [...configure, '--log-level=WARNING'],
    ['cmake', '--build', build, '--parallel', String(availableParallelism())],
  ];
  for (const step of steps) if (start(step).status !== 0) return { passed: 0, failed: 1 };
  start(['ctest', '--test-dir', build, '--output-on-failure', '--no-tests=error', '--output-junit', report]);
  const counts = existsSync(report)
    ? /tests="(\d+)"\s+failures="(\d+)"/.exec(readFileSync(report, 'utf8'))
    : null;
  if (counts === null) return { passed: 0, failed: 1 };
  return { passed: Number(counts[1]) - Number(counts[2]), failed: Number(counts[2]) };
}
