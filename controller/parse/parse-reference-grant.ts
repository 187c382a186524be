/** gateway.networking.k8s.io ReferenceGrant, v1 and v1beta1: lets routes of other namespaces name services of this one. */
import type { Fields } from './fields.js';
import type { ReferenceGrantManifest } from './manifest.js';
import type { ObjectMetadata } from './object-metadata.js';
import { dnsLabel } from './text-rules.js';

export function parseReferenceGrant(object: Fields, metadata: ObjectMetadata): ReferenceGrantManifest | null {
  const { namespace, name } = metadata;
  const spec = object.object('spec');
  if (spec === undefined) {
    if (!object.has('spec')) object.problem('spec', 'is missing', 'add spec with from and to');
    return null;
  }
  const from = spec.objects('from', 16).flatMap(readFrom);
  const targets = spec.objects('to', 16).flatMap(readTo);
  if (!spec.has('from')) spec.problem('from', 'is missing', 'list who may refer');
  if (!spec.has('to')) spec.problem('to', 'is missing', 'list what may be referred to');
  spec.finish();
  const all = targets.some((target) => target === null);
  return {
    id: { kind: 'ReferenceGrant', namespace, name },
    from,
    services: all ? null : targets.filter((target) => target !== null),
  };
}

/** Entries for other kinds than weft's routes grant nothing here. */
function readFrom(from: Fields): ReferenceGrantManifest['from'] {
  const group = from.requiredText('group');
  const kind = from.requiredText('kind');
  const namespace = from.requiredText('namespace', dnsLabel);
  from.finish();
  if (group !== 'gateway.networking.k8s.io' || namespace === undefined) return [];
  return kind === 'HTTPRoute' || kind === 'GRPCRoute' ? [{ kind, namespace }] : [];
}

/** A service's name, null for all services; other kinds are no concern of a mesh route. */
function readTo(to: Fields): (string | null)[] {
  const group = to.text('group') ?? '';
  const kind = to.requiredText('kind');
  const name = to.text('name');
  to.finish();
  return group === '' && kind === 'Service' ? [name ?? null] : [];
}
