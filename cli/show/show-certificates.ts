/** `weft certificates`: who can prove to be whom, and until when. */
import { type Asked, answers } from '../mesh-source.js';
import { formatAge, formatTable } from './format-table.js';

/** The proxy's /certificates. */
export interface Certificates {
  /** False: weft runs with --no-identities. */
  readonly on: boolean;
  readonly certificates: readonly Certificate[];
}

/** Times are RFC 3339; null where there is no certificate. */
export interface Certificate {
  /** Its uid; `node` for a node itself. */
  readonly workload: string;
  /** `namespace/name`; empty where the node's configuration does not know it. */
  readonly name: string;
  readonly identity: string;
  readonly state: string;
  readonly serial: string | null;
  readonly issuer: string | null;
  readonly notBefore: string | null;
  readonly expires: string | null;
  readonly reason: string | null;
  readonly message: string | null;
}

/** A certificate, and the node that holds it. */
export type NodeCertificate = Certificate & { readonly node: string };

/** Those of several nodes; of one namespace, or of all and of the nodes themselves. */
export function joinCertificates(
  asked: readonly Asked<Certificates>[],
  namespace: string | null,
): { readonly on: boolean; readonly certificates: readonly NodeCertificate[] } {
  const certificates = asked.flatMap((one) =>
    one.ok ? one.answer.certificates.map((certificate) => ({ ...certificate, node: one.name })) : [],
  );
  return {
    on: answers(asked).some(({ on }) => on),
    certificates: certificates.filter(({ name }) => namespace === null || name.startsWith(`${namespace}/`)),
  };
}

/** `nowMs`: milliseconds since the epoch. */
export function formatCertificates(
  { on, certificates }: { readonly on: boolean; readonly certificates: readonly NodeCertificate[] },
  nowMs: number,
): string {
  if (!on) return 'identities are off: weft runs with --no-identities\n';
  const columns = [
    { title: 'workload' },
    { title: 'node' },
    { title: 'identity' },
    { title: 'serial' },
    { title: 'issuer' },
    { title: 'expires', align: 'right' as const },
    { title: 'state' },
  ];
  const rows = certificates.map((one) => [
    one.name || one.workload,
    one.node,
    one.identity,
    one.serial ?? '-',
    one.issuer ?? '-',
    one.expires === null ? '-' : formatExpiry(Date.parse(one.expires) - nowMs),
    one.state,
  ]);
  const troubles = certificates
    .filter(({ reason }) => reason !== null)
    .map(({ name, workload, reason, message }) => `${name || workload}: ${reason}: ${message}\n`);
  return [formatTable(columns, rows, 'no captured workloads'), ...troubles].join('');
}

function formatExpiry(remainingMs: number): string {
  return remainingMs >= 0 ? `in ${formatAge(remainingMs)}` : `${formatAge(-remainingMs)} ago`;
}
