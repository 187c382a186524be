/** `weft certificates`: who can prove to be whom, and until when. */
import { formatAge, formatTable } from './format-table.js';

/** The proxy's /certificates. */
export interface Certificates {
  /** False: weft runs with --no-identities. */
  readonly on: boolean;
  readonly certificates: readonly Certificate[];
}

/** Times are RFC 3339; null where there is no certificate. */
export interface Certificate {
  readonly workload: string;
  readonly identity: string;
  readonly state: string;
  readonly serial: string | null;
  readonly issuer: string | null;
  readonly expires: string | null;
  readonly reason: string | null;
  readonly message: string | null;
}

/** `nowMs`: milliseconds since the epoch. */
export function formatCertificates({ on, certificates }: Certificates, nowMs: number): string {
  if (!on) return 'identities are off: weft runs with --no-identities\n';
  const columns = [
    { title: 'workload' },
    { title: 'identity' },
    { title: 'serial' },
    { title: 'issuer' },
    { title: 'expires', align: 'right' as const },
    { title: 'state' },
  ];
  const rows = certificates.map((one) => [
    one.workload,
    one.identity,
    one.serial ?? '-',
    one.issuer ?? '-',
    one.expires === null ? '-' : formatExpiry(Date.parse(one.expires) - nowMs),
    one.state,
  ]);
  const troubles = certificates
    .filter(({ reason }) => reason !== null)
    .map(({ workload, reason, message }) => `${workload}: ${reason}: ${message}\n`);
  return [formatTable(columns, rows, 'no captured workloads'), ...troubles].join('');
}

function formatExpiry(remainingMs: number): string {
  return remainingMs >= 0 ? `in ${formatAge(remainingMs)}` : `${formatAge(-remainingMs)} ago`;
}
