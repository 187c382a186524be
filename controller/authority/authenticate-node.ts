/** Which node a call comes from, by what its listener can know. */
import type { ServerUnaryCall } from '@grpc/grpc-js';
import { isNodeName, nodeOfSpiffeId } from '../../model/system-identity.js';
import { type Refused, refuse } from './refusal.js';

export type NodeProof = { readonly ok: true; readonly node: string } | Refused;

/** What of a gRPC call tells who makes it. */
export type AuthenticatedCall = Pick<ServerUnaryCall<unknown, unknown>, 'getAuthContext'>;

/** `claimed` is the node that the message names; what comes back is the proven one, always the same. */
export type AuthenticateNode = (call: AuthenticatedCall, claimed: string) => NodeProof;

/**
 * For the Unix socket of the controller's own machine: its folder and mode decide who reaches it, and whoever does is
 * believed to be `node`, or, where that is null, the node that it names.
 */
export function trustSocket(node: string | null): AuthenticateNode {
  return (_call, claimed) => {
    if (!isNodeName(claimed)) return refuse('node_not_authenticated', 'the request names no node');
    if (node === null || claimed === node) return { ok: true, node: claimed };
    return refuse('node_not_authenticated', `this socket is for node ${node}, not for ${claimed}`);
  };
}

/** For connections whose client certificate was verified when they came (see {@link NodeListener}). */
export function trustCertificate(trustDomain: () => string | null): AuthenticateNode {
  return (call, claimed) => {
    const name = call.getAuthContext().sslPeerCertificate?.subjectaltname ?? '';
    const node = nodeOfName(name, trustDomain());
    if (node === null) return refuse('node_not_authenticated', 'the client certificate is no node`s');
    if (claimed === node) return { ok: true, node };
    return refuse('node_not_authenticated', `the client certificate is of node ${node}, not of ${claimed}`);
  };
}

/** For connections without a client certificate. */
export const trustNobody: AuthenticateNode = () =>
  refuse('node_not_authenticated', 'this call needs a node`s client certificate; join with a token first');

/** The node that a certificate's subject alternative name is for, where it is that node's alone; otherwise null. */
export function nodeOfName(subjectAltName: string, trustDomain: string | null): string | null {
  if (trustDomain === null || !subjectAltName.startsWith('URI:')) return null;
  return nodeOfSpiffeId(subjectAltName.slice('URI:'.length), trustDomain);
}
