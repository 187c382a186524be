/** Proves that a deployed subject routes and denies as the rules say, before anything is measured. */
import { fileURLToPath } from 'node:url';
import type { Endpoint } from './hop.js';
import type { ProbeFindings, ProbeJob } from './probe-client.js';
import { loadCore, run } from './processes.js';
import type { Probe } from './rules.js';

const deadlineMs = 30_000;

/** Throws with the first wrong answers. */
export async function probeTarget(
  namespace: string,
  target: Endpoint,
  probes: readonly Probe[],
): Promise<void> {
  const client = fileURLToPath(new URL('probe-client.js', import.meta.url));
  const job: ProbeJob = { target, probes, deadlineMs };
  const launch = { argv: [process.execPath, client], namespace, core: loadCore };
  const findings = JSON.parse(await run(launch, 2 * deadlineMs, JSON.stringify(job))) as ProbeFindings;
  if (findings.length === 0) return;
  const shown = findings.slice(0, 5).join('\n  ');
  throw new Error(`${findings.length} of ${probes.length} probes were answered wrongly:\n  ${shown}`);
}
