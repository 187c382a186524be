/** The metadata that every Kubernetes object has. */
import type { Fields } from './fields.js';
import { dnsLabel, dnsSubdomain } from './text-rules.js';

export interface ObjectMetadata {
  readonly namespace: string;
  readonly name: string;
  /** Empty where the source gives none. */
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch, 0 where unknown. */
  readonly createdMs: number;
}

/** Namespace of an object that names none. */
export const defaultNamespace = 'default';

/** Reads `metadata`. null where the object cannot be named; problems say why. */
export function readMetadata(object: Fields, namespaced: boolean): ObjectMetadata | null {
  const metadata = object.object('metadata');
  if (metadata === undefined) {
    if (!object.has('metadata')) object.problem('metadata', 'is missing', 'add metadata with a name');
    return null;
  }
  const name = metadata.requiredText('name', dnsSubdomain);
  const given = metadata.has('namespace');
  const namespace = metadata.text('namespace', dnsLabel) ?? (given ? undefined : defaultNamespace);
  if (!namespaced && given) {
    metadata.problem('namespace', 'is set on a kind that has none', 'remove it');
    return null;
  }
  const uid = metadata.text('uid', uidText) ?? '';
  const created = metadata.text('creationTimestamp');
  const createdMs = created === undefined ? 0 : Date.parse(created);
  if (Number.isNaN(createdMs)) metadata.problem('creationTimestamp', 'is no time', 'write it as RFC 3339');
  const labels = metadata.textMap('labels');
  const annotations = metadata.textMap('annotations');
  if (name === undefined || namespace === undefined) return null;
  return {
    namespace: namespaced ? namespace : '',
    name,
    uid,
    labels,
    annotations,
    createdMs: Number.isNaN(createdMs) ? 0 : Math.max(0, createdMs),
  };
}

const uidText = {
  pattern: /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
  most: 128,
  describe: 'letters, digits, ".", "_" and "-"',
};
