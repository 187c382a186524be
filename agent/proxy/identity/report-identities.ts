/** What is told of identities: to people, to metrics, to readiness. Never a key. */
import type { CheckedSvid } from '../../../proto/check-svid.js';
import { family, type MetricFamily } from '../telemetry/worker-metrics.js';
import type { ControllerClock } from './controller-clock.js';
import type { IdentityManager, IdentityStatus } from './identity-manager.js';
import type { IdentityState } from './identity-state.js';

/** One of the admin socket's /certificates. Times are RFC 3339, null where there is no certificate. */
export interface ShownCertificate {
  /** Its uid; `node` for the node itself. */
  readonly workload: string;
  /** `namespace/name`; empty where the configuration does not know the workload. */
  readonly name: string;
  readonly identity: string;
  readonly state: IdentityState['kind'];
  readonly serial: string | null;
  readonly issuer: string | null;
  readonly notBefore: string | null;
  readonly expires: string | null;
  /** null while the next certificate is asked for. */
  readonly renews: string | null;
  /** Why the last attempt failed, null after one that did not. */
  readonly reason: string | null;
  readonly message: string | null;
}

export function showCertificates(
  statuses: readonly IdentityStatus[],
  nameOf: (workload: string) => string,
): ShownCertificate[] {
  return statuses
    .map(({ workload, spiffeId, state, problem }) => {
      const svid = svidOf(state);
      return {
        workload,
        name: nameOf(workload),
        identity: spiffeId,
        state: state.kind,
        serial: svid?.serial ?? null,
        issuer: svid?.issuer ?? null,
        notBefore: svid === null ? null : timeText(svid.notBeforeMs),
        expires: svid === null ? null : timeText(svid.expiresMs),
        renews: state.kind === 'ready' ? timeText(state.renewAtMs) : null,
        reason: problem?.reason ?? null,
        message: problem?.message ?? null,
      };
    })
    .sort((left, right) => (left.workload < right.workload ? -1 : 1));
}

/** Part of readiness: a node is ready once every captured workload can prove who it is. */
export interface IdentityReadiness {
  readonly wanted: number;
  /** In force now. */
  readonly inForce: number;
  /** Seconds until the first one in force ends; null where none is. */
  readonly firstEndsInSeconds: number | null;
}

export function identityReadiness(statuses: readonly IdentityStatus[], nowMs: number): IdentityReadiness {
  const ends = statuses.flatMap(({ state }) =>
    state.kind === 'ready' || state.kind === 'renewing' ? [state.identity.svid.expiresMs] : [],
  );
  const firstMs = Math.min(...ends);
  return {
    wanted: statuses.length,
    inForce: ends.length,
    firstEndsInSeconds: ends.length === 0 ? null : Math.max(0, Math.round((firstMs - nowMs) / 1000)),
  };
}

/** `skewMs` as ControllerClock's. */
export function collectIdentities(
  manager: IdentityManager,
  { nowMs, skewMs }: Pick<ControllerClock, 'nowMs' | 'skewMs'>,
): MetricFamily[] {
  const { statuses, refusals, obtained, roots } = manager;
  const states = new Map<string, number>();
  for (const { state } of statuses) states.set(state.kind, (states.get(state.kind) ?? 0) + 1);
  const { firstEndsInSeconds } = identityReadiness(statuses, nowMs);
  return [
    family(
      'gauge',
      'weft_identities',
      'Identities of captured workloads.',
      [...states].map(([state, value]) => ({ labels: { state }, value })),
    ),
    family(
      'gauge',
      'weft_identity_seconds_to_expiry',
      'Until the first identity in force ends.',
      firstEndsInSeconds === null ? [] : [{ labels: {}, value: firstEndsInSeconds }],
    ),
    family('counter', 'weft_identity_certificates_total', 'Certificates that were put in force.', [
      { labels: {}, value: obtained },
    ]),
    family(
      'counter',
      'weft_identity_refusals_total',
      'Attempts to get a certificate that failed.',
      [...refusals].map(([reason, value]) => ({ labels: { reason }, value })),
    ),
    family(
      'gauge',
      'weft_clock_skew_seconds',
      "How far this node's clock is ahead of the controller's; below 0: behind.",
      skewMs === null ? [] : [{ labels: {}, value: skewMs / 1000 }],
    ),
    family('gauge', 'weft_trust_bundle_roots', 'Roots that this proxy trusts.', [
      { labels: {}, value: roots.length },
    ]),
  ];
}

function svidOf(state: IdentityState): CheckedSvid | null {
  switch (state.kind) {
    case 'ready':
    case 'renewing':
      return state.identity.svid;
    case 'expired':
      return state.svid;
    case 'none':
    case 'requesting':
    case 'withdrawn':
      return null;
  }
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
