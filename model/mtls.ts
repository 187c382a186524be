/**
 * Who speaks TLS with whom: the caller's agent asks {@link dialTransport} for each connection it makes, the
 * destination's agent {@link acceptRule} for each that comes. The two agree whatever versions of the configuration
 * they hold, as long as the controller moves phases one step at a time (controller/transport); a test of that room
 * holds them against each other.
 */
import { Reason } from '../reasons/reasons.js';
import type { WorkloadView } from './snapshot.js';
import type { MtlsMode, Workload, WorkloadMtls } from './workload.js';

/** How a connection is made; a reason: it must not be made. */
export type DialRule = 'plaintext' | 'tls' | typeof Reason.tls_no_identity;

/**
 * How a connection is taken. secure: TLS or nothing. sniff: TLS where a ClientHello of the mesh comes, plaintext
 * otherwise. identify: likewise, but plaintext waits until it is known whose the caller's address is. A reason: refused
 * before a byte is read.
 */
export type AcceptRule =
  | 'secure'
  | 'sniff'
  | 'identify'
  | 'plaintext'
  | typeof Reason.plaintext_refused
  | typeof Reason.tls_no_identity;

/** What a workload's port demands of its callers. */
export function modeOf(workload: Pick<Workload, 'mtls'>, port: number): MtlsMode {
  return workload.mtls.ports[port] ?? workload.mtls.mode;
}

/** Whether any port takes TLS alone. */
export function isStrict({ mode, ports }: WorkloadMtls): boolean {
  return mode === 'strict' || Object.values(ports).includes('strict');
}

/** Whether the workload's agent speaks and takes TLS for it, so that its callers may and it must when it calls. */
function speaksTls({ transport }: Workload): boolean {
  return transport === 'arriving' || transport === 'weft-tls';
}

/** Whether callers can prove to a workload who they are, on some port. */
export function takesProofs(workload: Workload): boolean {
  const { mode, ports } = workload.mtls;
  return (
    speaksTls(workload) && (mode !== 'disabled' || Object.values(ports).some((own) => own !== 'disabled'))
  );
}

/** Whether TLS may come from the workload: it is captured, or is about to be released and not all know that yet. */
function maySpeakTls({ captured, transport }: Workload): boolean {
  return captured || transport !== 'plaintext';
}

/**
 * What the caller's agent does.
 *
 * @param sourceReady the caller's identity is in force in this agent
 * @param destination undefined: no workload of the mesh has the address
 * @param port the destination's own port, the one that is dialled
 */
export function dialTransport(
  source: WorkloadView,
  sourceReady: boolean,
  destination: WorkloadView | undefined,
  port: number,
): DialRule {
  if (destination === undefined) return 'plaintext';
  const { workload } = destination;
  // What a pod says to itself stays in it: the kernel leads it to the application, past the agent.
  if (workload.uid === source.workload.uid) return 'plaintext';
  const mode = modeOf(workload, port);
  if (mode === 'disabled') return 'plaintext';
  const strict = mode === 'strict';
  // A strict workload that has lost its identity gets no plaintext; one that is released does.
  const wanted = speaksTls(workload) || (strict && workload.transport === 'leaving' && workload.captured);
  if (!wanted) return 'plaintext';
  const speaks = speaksTls(source.workload);
  if (!strict && !speaks) return 'plaintext';
  return sourceReady ? 'tls' : Reason.tls_no_identity;
}

/**
 * What the destination's agent does; asked again once a sniffed connection has turned out to be plaintext, which only
 * `sniff` and `plaintext` let pass.
 *
 * @param identityReady the local workload's identity is in force in this agent
 * @param port the local workload's port
 * @param caller undefined: no workload of the mesh has the caller's address
 */
export function acceptRule(
  local: WorkloadView,
  identityReady: boolean,
  port: number,
  caller: WorkloadView | undefined,
): AcceptRule {
  // Released: it is outside of the mesh, and what still comes this way is served as it will be from now on.
  if (!maySpeakTls(local.workload)) return identityReady ? 'sniff' : 'plaintext';
  switch (modeOf(local.workload, port)) {
    case 'disabled':
      return 'plaintext';
    case 'strict':
      return acceptStrictly(local.workload, identityReady, caller?.workload);
    case 'permissive':
      return acceptEither(local.workload, identityReady, caller?.workload);
  }
}

function acceptStrictly(local: Workload, identityReady: boolean, caller: Workload | undefined): AcceptRule {
  if (caller !== undefined && !maySpeakTls(caller)) return Reason.plaintext_refused;
  if (!identityReady) return Reason.tls_no_identity;
  if (local.transport === 'weft-tls') return 'secure';
  // Until all know that it stands behind its agent, meshed callers may still send plaintext; so may a new pod, whose
  // address the API learns some time after the pod has it.
  return caller === undefined ? 'identify' : 'sniff';
}

function acceptEither(local: Workload, identityReady: boolean, caller: Workload | undefined): AcceptRule {
  if (caller !== undefined && !maySpeakTls(caller)) return 'plaintext';
  if (!identityReady) {
    // Meshed callers speak TLS now, which an application must not be given.
    return caller !== undefined && speaksTls(local) && speaksTls(caller)
      ? Reason.tls_no_identity
      : 'plaintext';
  }
  const demanded = local.transport === 'weft-tls' && caller?.transport === 'weft-tls';
  return demanded ? 'secure' : 'sniff';
}

/**
 * Who a TLS peer is: proven: the workload whose address it has. wrong-identity: another one has that address, so the
 * key is used where it does not belong. unknown-address: no workload has it, as far as is known yet.
 */
export type PeerRule = 'proven' | 'wrong-identity' | 'unknown-address';

/** Holds the identity that a peer has proven against the workload whose address it calls from. */
export function checkPeer(caller: WorkloadView | undefined, peerSpiffeId: string): PeerRule {
  if (caller === undefined) return 'unknown-address';
  return caller.authenticated.spiffeId === peerSpiffeId ? 'proven' : 'wrong-identity';
}
