/** Reads a folder of manifests once and tells everything that is wrong with it: `weft vet`. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { buildResources } from './resources/build-resources.js';
import { ManifestStore, type StoredManifest } from './resources/manifest-store.js';
import { CrossCheck } from './resources/manifests-by-kind.js';
import { describeProblem, type StatusProblem } from './resources/status-problem.js';
import { readFolder } from './source/read-folder.js';
import { describeError } from './status/log.js';
import { vetPolicies } from './vet-policies.js';

const usage = `usage: vet --folder DIR [--output text|json] [--strict]

Exit codes: 0 nothing is refused, 1 something is refused (with --strict: or warned of), 2 the folder cannot be read.
`;

/** Everything wrong with the manifests of a folder, by file and line. Throws where the folder cannot be read. */
async function vetFolder(folder: string): Promise<{ problems: StatusProblem[]; manifests: number }> {
  const store = new ManifestStore();
  store.apply(await readFolder(folder));
  const manifests = store.manifests();
  const built = buildResources(manifests, { trustDomain: 'vet.invalid', node: 'local' });
  const problems = [
    ...store.problems(),
    ...built.problems,
    ...undeclaredProtocols(manifests),
    ...vetPolicies(manifests, built.resources ?? []),
  ];
  problems.sort((a, b) => (a.origin === b.origin ? a.line - b.line : a.origin < b.origin ? -1 : 1));
  return { problems, manifests: manifests.length };
}

/** A port that declares nothing is opaque bytes; where HTTP was meant, routes and L7 policies would not apply. */
function undeclaredProtocols(manifests: readonly StoredManifest[]): StatusProblem[] {
  const check = new CrossCheck();
  for (const stored of manifests) {
    const { manifest } = stored;
    if (!('form' in manifest)) continue;
    for (const port of manifest.undeclaredPorts) {
      const index = manifest.service.ports.findIndex((candidate) => candidate.port === port);
      const message = 'is carried as opaque TCP unless it declares its protocol';
      const fix = 'set appProtocol, or begin its name with http-, grpc- or tcp-';
      check.warning(stored, ['spec', 'ports', index], port, message, fix);
    }
  }
  return check.problems;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      folder: { type: 'string' },
      output: { type: 'string', default: 'text' },
      strict: { type: 'boolean', default: false },
    },
  });
  if (values.folder === undefined || !['text', 'json'].includes(values.output)) {
    process.stderr.write(usage);
    return 2;
  }
  const { problems, manifests } = await vetFolder(resolve(values.folder));
  const errors = problems.filter((problem) => problem.severity === 'error').length;
  const warnings = problems.length - errors;
  if (values.output === 'json') {
    process.stdout.write(`${JSON.stringify({ manifests, errors, warnings, problems }, null, 2)}\n`);
  } else {
    for (const problem of problems)
      process.stdout.write(`${problem.severity}: ${describeProblem(problem)}\n`);
    process.stdout.write(`${manifests} manifests, ${errors} errors, ${warnings} warnings\n`);
  }
  return errors > 0 || (values.strict && warnings > 0) ? 1 : 0;
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`vet: ${describeError(error)}\n`);
  return 2;
});
