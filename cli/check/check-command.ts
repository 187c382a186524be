/** `weft check`: everything that must hold, one finding each. */
import {
  type ProgramName,
  placeOptions,
  placeUsage,
  type Shown,
  shown,
  wantsJson,
  withScope,
} from '../open-scope.js';
import { flag, parseOptions } from '../parse-options.js';
import { UsageError } from '../usage-error.js';
import { checkCluster } from './check-cluster.js';
import { checkInstallation } from './check-installation.js';
import { checkMesh } from './check-mesh.js';
import type { Facts } from './facts.js';
import { type Finding, formatFindings } from './finding.js';
import { gatherFacts } from './gather-facts.js';

/** Of this build, as agents tell theirs. */
export const version = '0.1.0';

export const checkUsage = (program: ProgramName) => `usage: ${program} check [options]

Looks at all that must hold, and tells each as a finding: id, severity (ok, warning, error), sentence, hint.
  --before        before installing: only what weft needs of the cluster
${placeUsage}
Exit codes: 0 no error was found, 1 one was, 2 wrong usage.
`;

export async function showCheck(args: readonly string[], program: ProgramName): Promise<Shown> {
  const { values } = parseOptions(args, { ...placeOptions, before: flag });
  const json = wantsJson(values);
  const facts = await withScope(program, values, ({ source }) => {
    if (values.before && source.kind === 'machine') throw new UsageError('--before is for a cluster');
    return gatherFacts(source, version, values.before);
  });
  const findings = judge(facts, values.before);
  const well = findings.every(({ severity }) => severity !== 'error');
  return shown(json, findings, () => formatFindings(findings), well);
}

/** All findings, in the order in which things build on each other. */
export function judge(facts: Facts, before: boolean): Finding[] {
  const { cluster, mesh } = facts;
  return [
    ...(cluster === null ? [] : checkCluster(cluster)),
    ...(cluster === null || before ? [] : checkInstallation(facts, cluster)),
    ...(mesh === null ? [] : checkMesh(facts, mesh)),
  ];
}
