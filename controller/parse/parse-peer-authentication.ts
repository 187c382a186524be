/** weft.dev/v1alpha1 PeerAuthentication: what workloads demand of their callers. What cannot be read demands the most. */
import type { MtlsMode } from '../../model/workload.js';
import type { Fields } from './fields.js';
import type { PeerAuthentication, PeerAuthenticationManifest } from './manifest.js';
import type { ObjectMetadata } from './object-metadata.js';

const modes = {
  Strict: 'strict',
  Permissive: 'permissive',
  Disabled: 'disabled',
} as const satisfies Record<string, MtlsMode>;
const names = Object.keys(modes) as (keyof typeof modes)[];

/** A mode as it is written in manifests; undefined where it is absent, or wrong and told. */
export function readMode(fields: Fields): MtlsMode | undefined {
  const name = fields.oneOf('mode', names);
  return name === undefined ? undefined : modes[name];
}

export function parsePeerAuthentication(
  object: Fields,
  metadata: ObjectMetadata,
): PeerAuthenticationManifest | null {
  const { namespace, name, createdMs } = metadata;
  const spec = object.object('spec');
  object.ignore('status');
  if (spec === undefined) {
    if (!object.has('spec')) object.problem('spec', 'is missing', 'add spec with mode');
    return null;
  }
  const labels = readSelector(spec);
  const mode = readMode(spec) ?? null;
  const ports = readPorts(spec);
  if (!spec.has('mode') && ports.length === 0) {
    spec.problem('mode', 'is missing', `write ${names.join(', ')}, or ports with modes of their own`);
  }
  if (ports.length > 0 && labels === null) {
    spec.problem('ports', 'needs a selector: ports are those of a workload', 'add selector.matchLabels');
  }
  spec.finish();
  const peerAuthentication = { namespace, name, createdMs, labels, mode, ports: Object.fromEntries(ports) };
  return {
    id: { kind: 'PeerAuthentication', namespace, name },
    peerAuthentication: { ...peerAuthentication, broken: false },
  };
}

/** Stands in for one that cannot be used: strict for its target, or for all of its namespace where that cannot be read. */
export function brokenPeerAuthentication(object: Fields, metadata: ObjectMetadata): PeerAuthentication {
  const { namespace, name, createdMs } = metadata;
  const before = object.problems.length;
  const spec = object.object('spec');
  const labels = spec === undefined ? null : readSelector(spec);
  const legible = object.problems.length === before;
  object.problems.length = before;
  return {
    namespace,
    name,
    createdMs,
    labels: legible ? labels : null,
    mode: 'strict',
    ports: {},
    broken: true,
  };
}

/** null: every workload of the namespace. */
function readSelector(spec: Fields): Readonly<Record<string, string>> | null {
  const selector = spec.object('selector');
  if (selector === undefined) return null;
  const labels = selector.textMap('matchLabels');
  if (Object.keys(labels).length === 0) {
    const fix = 'give labels, or remove selector to cover the whole namespace';
    selector.problem('matchLabels', 'is empty', fix);
  }
  selector.finish();
  return labels;
}

function readPorts(spec: Fields): (readonly [port: number, mode: MtlsMode])[] {
  const seen = new Set<number>();
  return spec.objects('ports', 64).flatMap((entry) => {
    const port = entry.number('port', 1, 65_535);
    const mode = readMode(entry);
    if (!entry.has('port')) entry.problem('port', 'is missing', 'write a port of the workload');
    if (!entry.has('mode')) entry.problem('mode', 'is missing', `write ${names.join(', ')}`);
    entry.finish();
    if (port === undefined || mode === undefined) return [];
    if (seen.has(port)) entry.problem('port', 'is given twice', 'keep one of the two');
    seen.add(port);
    return [[port, mode] as const];
  });
}
