/**
 * Slots `transport` and `peer`, inbound: whether a caller must speak TLS, may, or does not, and whether the identity that
 * it proves is the one that its address has.
 */
import { carriesRequests } from '../../../model/find-destination.js';
import { type AcceptRule, acceptRule, checkPeer, modeOf } from '../../../model/mtls.js';
import { plaintextCause, plaintextCauses } from '../../../model/plaintext-cause.js';
import type { WorkloadView } from '../../../model/snapshot.js';
import type { MtlsMode } from '../../../model/workload.js';
import { Action, Alpn } from '../../../native/engine.js';
import { Reason, type ReasonCode } from '../../../reasons/reasons.js';
import type { ConnectionRecord } from '../worker/connection-record.js';
import type { DecisionContext } from '../worker/decision-context.js';
import { Transport } from '../worker/transport.js';
import { resetConnection } from './answers.js';

/** Accepted, and nothing is read yet. What may be TLS comes back as a secured or a sniffed row. */
export function acceptTransport(context: DecisionContext, connection: ConnectionRecord): boolean {
  const rule = ruleOf(connection);
  switch (rule) {
    case 'secure':
      connection.action = Action.secure;
      return false;
    case 'sniff':
    case 'identify':
      connection.action = Action.sniff;
      connection.plaintextMode = rule === 'sniff' && connection.peer === null ? null : modeNow(connection);
      return false;
    case 'plaintext':
      return passPlaintext(context, connection);
    default:
      return resetConnection(connection, rule);
  }
}

/**
 * The engine has looked and found no TLS; the configuration may demand it by now. What a workload of the mesh had begun
 * before goes on, as it would if its first bytes had come a moment earlier, unless the port's mode has changed. Who may turn
 * out to be such a workload is held.
 */
export function acceptPlaintext(context: DecisionContext, connection: ConnectionRecord): boolean {
  const rule = ruleOf(connection);
  switch (rule) {
    case 'sniff':
    case 'plaintext':
      return passPlaintext(context, connection);
    case 'identify':
    case 'secure':
      if (connection.plaintextMode !== modeNow(connection))
        return resetConnection(connection, Reason.plaintext_refused);
      return connection.peer === null
        ? holdCaller(connection, Reason.plaintext_refused)
        : passPlaintext(context, connection);
    default:
      return resetConnection(connection, rule);
  }
}

/** Until it is known whose the caller's address is; `reason`: why it ends where nobody's. */
function holdCaller(connection: ConnectionRecord, reason: ReasonCode): false {
  connection.action = Action.park;
  connection.reason = reason;
  return false;
}

/**
 * Plaintext that was let in before, held against the configuration again: `none`, or why it ends. It ends where its port
 * has become strict since. What a workload of the mesh was let send to a strict port, because not all knew yet that it
 * speaks TLS, goes on: enrolling and releasing lose no connection.
 */
export function recheckPlaintext(connection: ConnectionRecord): ReasonCode {
  if (connection.transport !== Transport.plaintext) return Reason.none;
  const mode = modeNow(connection);
  if (mode !== 'strict') {
    connection.plaintextMode = mode;
    return Reason.none;
  }
  if (connection.plaintextMode === 'strict') return Reason.none;
  const rule = ruleOf(connection);
  return rule === 'sniff' || rule === 'plaintext' ? Reason.none : Reason.plaintext_refused;
}

/**
 * Only who proves to be the workload that has the caller's address goes on. Others are held: the address may be a new pod's,
 * and not known yet, or known as that of the pod that had it before.
 */
export function provePeer(_context: DecisionContext, connection: ConnectionRecord): boolean {
  if (checkPeer(connection.peer ?? undefined, connection.peerId) === 'proven') return true;
  return holdCaller(connection, Reason.tls_wrong_identity);
}

/**
 * What both agents agreed on must fit what the port is here. Requests on a port that is opaque here would be framed for
 * nobody. Opaque bytes on a port of requests are what a caller sends that has not heard of the declaration yet: they
 * go on, judged as the opaque bytes that they are, so that what policies say of requests fails closed.
 */
export function fitProtocol(_context: DecisionContext, connection: ConnectionRecord): boolean {
  switch (connection.alpn) {
    case Alpn.tcp:
      connection.protocol = 'tcp';
      return true;
    case Alpn.h1:
    case Alpn.h2:
      if (carriesRequests(connection.protocol)) return true;
      return resetConnection(connection, Reason.tls_alpn_refused);
    default:
      return resetConnection(connection, Reason.tls_alpn_refused);
  }
}

/** Who could be served by TLS and does not speak it is counted: such callers keep a port from becoming strict. */
function passPlaintext(context: DecisionContext, connection: ConnectionRecord): true {
  const { destinationPort: port, peer, workload } = connection;
  const local = localOf(connection);
  const mode = modeNow(connection);
  connection.transport = Transport.plaintext;
  connection.plaintextMode = peer === null ? null : mode;
  connection.cause = plaintextCauses.indexOf(plaintextCause(peer ?? undefined, local, port));
  if (workload?.identified === true && mode === 'permissive') {
    context.callers.count(peer, local);
  }
  return true;
}

function localOf({ local }: ConnectionRecord): WorkloadView {
  if (local === null) throw new Error('the connection belongs to no workload');
  return local;
}

/** What the port demands by the present configuration. */
function modeNow(connection: ConnectionRecord): MtlsMode {
  return modeOf(localOf(connection).workload, connection.destinationPort);
}

function ruleOf(connection: ConnectionRecord): AcceptRule {
  const { workload, destinationPort, peer } = connection;
  const local = localOf(connection);
  return acceptRule(local, workload?.identified === true, destinationPort, peer ?? undefined);
}
