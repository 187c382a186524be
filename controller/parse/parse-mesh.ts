/** weft.dev/v1alpha1 Mesh: what holds for the whole mesh. */
import { parseCidr } from '../../model/address.js';
import type { AddressRange } from '../../model/mesh.js';
import type { Fields } from './fields.js';
import type { MeshManifest } from './manifest.js';
import type { ObjectMetadata } from './object-metadata.js';
import { readMode } from './parse-peer-authentication.js';
import { dnsSubdomain, trustDomainText } from './text-rules.js';

export function parseMesh(object: Fields, metadata: ObjectMetadata): MeshManifest | null {
  const spec = object.object('spec');
  object.ignore('status');
  if (spec === undefined) {
    if (!object.has('spec')) object.problem('spec', 'is missing', 'add spec with trustDomain');
    return null;
  }
  const trustDomain = spec.requiredText('trustDomain', trustDomainText);
  const cluster = spec.text('cluster', dnsSubdomain) ?? '';
  const network = spec.text('network', dnsSubdomain) ?? '';
  const ranges = spec.objects('ranges', 1000).flatMap((range) => readRange(range) ?? []);
  const mtls = spec.object('mtls');
  const mode = (mtls && readMode(mtls)) ?? 'permissive';
  if (mtls?.has('mode') === false) mtls.problem('mode', 'is missing', 'write Strict, Permissive or Disabled');
  mtls?.finish();
  const enrolment = spec.oneOf('enrolment', ['Enabled', 'Disabled']) ?? 'Enabled';
  spec.finish();
  if (trustDomain === undefined) return null;
  return {
    id: { kind: 'Mesh', namespace: '', name: metadata.name },
    mesh: { trustDomain, cluster, network, ranges, enrolledNamespaces: [] },
    mode,
    enrolment,
  };
}

function readRange(range: Fields): AddressRange | null {
  const cidr = range.text('cidr');
  const action = range.oneOf('action', ['direct', 'deny', 'proxy']);
  if (!range.has('action')) range.problem('action', 'is missing', 'write direct, deny or proxy');
  range.finish();
  if (cidr === undefined || parseCidr(cidr) === null) {
    range.problem('cidr', 'is no CIDR', 'write address/prefix with all host bits zero, such as 10.0.0.0/8');
    return null;
  }
  return action === undefined ? null : { cidr, action };
}
