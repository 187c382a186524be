/** How two workloads would speak with each other, and why so: the transport's part of {@link explain}. */
import { Reason, type ReasonCode } from '../reasons/reasons.js';
import { acceptRule, dialTransport, modeOf } from './mtls.js';
import { type PlaintextCause, plaintextCause } from './plaintext-cause.js';
import type { WorkloadView } from './snapshot.js';
import { type Source, unknownSource } from './source.js';
import type { MtlsMode, TransportPhase } from './workload.js';

export interface TransportAnswer {
  readonly transport: 'tls' | 'plaintext';
  /** Why it would not be made or taken; `none` where it would. */
  readonly reason: ReasonCode;
  /** Why it is plaintext; `none` for TLS. */
  readonly cause: PlaintextCause;
  /** What the destination's port demands; undefined where the destination is no workload of the mesh. */
  readonly mode: MtlsMode | undefined;
  readonly sourcePhase: TransportPhase | undefined;
  readonly destinationPhase: TransportPhase | undefined;
  /** SPIFFE id that the destination must prove; empty for plaintext. */
  readonly identity: string;
  /** The caller as policies see it. */
  readonly source: Source;
}

/**
 * Whoever is `arriving` or further has its identity in force: its node has said so.
 *
 * @param port the destination's own
 */
export function explainTransport(
  source: WorkloadView | undefined,
  destination: WorkloadView | undefined,
  port: number,
): TransportAnswer {
  const rule = ruleOf(source, destination, port);
  const tls = rule === 'tls';
  const seen = source === undefined ? unknownSource : tls ? source.authenticated : source.addressed;
  return {
    transport: tls ? 'tls' : 'plaintext',
    reason: typeof rule === 'number' ? rule : Reason.none,
    cause: tls ? 'none' : plaintextCause(source, destination, port),
    mode: destination && modeOf(destination.workload, port),
    sourcePhase: source?.workload.transport,
    destinationPhase: destination?.workload.transport,
    identity: tls ? (destination?.authenticated.spiffeId ?? '') : '',
    source: seen,
  };
}

/** A caller with an agent is decided by it; one without by the destination's. */
function ruleOf(
  source: WorkloadView | undefined,
  destination: WorkloadView | undefined,
  port: number,
): 'tls' | 'plaintext' | ReasonCode {
  if (source?.workload.captured === true) return dialTransport(source, isReady(source), destination, port);
  if (destination === undefined || destination.workload.captured === false) return 'plaintext';
  const rule = acceptRule(destination, isReady(destination), port, source);
  if (typeof rule === 'number') return rule;
  return rule === 'secure' || rule === 'identify' ? Reason.plaintext_refused : 'plaintext';
}

function isReady({ workload: { transport } }: WorkloadView): boolean {
  return transport === 'arriving' || transport === 'weft-tls';
}
