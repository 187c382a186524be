/** Tells everything that is wrong with manifests, without anything running: `weft vet`. */
import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { buildResources } from './resources/build-resources.js';
import { CrossCheck } from './resources/cross-check.js';
import { ManifestStore, type StoredManifest } from './resources/manifest-store.js';
import { describeProblem, type StatusProblem } from './resources/status-problem.js';
import { readFolder, toChange } from './source/read-folder.js';
import { readManifestFile } from './source/scan-folder.js';
import type { SourceChange } from './source/source.js';
import { vetPolicies } from './vet-policies.js';

export interface VetReport {
  readonly manifests: number;
  readonly errors: number;
  readonly warnings: number;
  readonly problems: readonly StatusProblem[];
}

/** What a folder or one file holds. Rejects where it cannot be read. */
export async function readManifests(path: string): Promise<SourceChange[]> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new Error(`cannot read the folder or file ${path}`, { cause });
  });
  if (found.isDirectory()) return readFolder(path);
  const file = await readManifestFile(dirname(path), basename(path));
  return file === null ? [] : [toChange(path, file)];
}

/**
 * Everything wrong with what sources hold, by origin and line.
 *
 * @param excludedNamespaces of a cluster: these are never in the mesh; null: the manifests are a folder's for `weft run`
 */
export function vetManifests(
  changes: readonly SourceChange[],
  excludedNamespaces: readonly string[] | null = null,
): VetReport {
  const store = new ManifestStore(excludedNamespaces === null ? 'folder' : 'cluster');
  store.apply(changes);
  const manifests = store.manifests();
  const cluster = excludedNamespaces === null ? {} : { cluster: { excludedNamespaces } };
  const built = buildResources(manifests, { trustDomain: 'vet.invalid', node: 'local', ...cluster });
  const problems = [
    ...store.problems(),
    ...built.problems,
    ...undeclaredProtocols(manifests),
    ...vetPolicies(manifests, built.resources ?? []),
  ];
  return report(manifests.length, problems);
}

/** In the order of origins and lines. */
export function report(manifests: number, problems: readonly StatusProblem[]): VetReport {
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const sorted = [...problems].sort((a, b) =>
    a.origin === b.origin ? a.line - b.line : a.origin < b.origin ? -1 : 1,
  );
  return { manifests, errors, warnings: problems.length - errors, problems: sorted };
}

export function formatVet({ manifests, errors, warnings, problems }: VetReport): string {
  const lines = problems.map((problem) => `${problem.severity}: ${describeProblem(problem)}\n`);
  return `${lines.join('')}${manifests} manifests, ${errors} errors, ${warnings} warnings\n`;
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
