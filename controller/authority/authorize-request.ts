/** Whether an identity may be certified: a node`s workload runs there now, a node or the controller names itself. Pure. */
import { controllerSpiffeId, nodeSpiffeId, replicaSpiffeId } from '../../model/system-identity.js';
import { spiffeId, type Workload } from '../../model/workload.js';
import { type Refused, refuse } from './refusal.js';

/** Whose certificate it is. */
export type Subject =
  | { readonly kind: 'workload'; readonly uid: string }
  | { readonly kind: 'node' }
  | { readonly kind: 'controller' }
  | { readonly kind: 'replica' };

export interface Asked {
  /** The node that asks, proven; empty for the controller itself. */
  readonly node: string;
  readonly subject: Subject;
  /** The name that the request asks for. */
  readonly uri: string;
}

/** What the controller publishes now. */
export interface Published {
  readonly trustDomain: string;
  readonly findWorkload: (uid: string) => Workload | undefined;
}

export function authorizeRequest(asked: Asked, published: Published): { readonly ok: true } | Refused {
  const { node, subject, uri } = asked;
  const { trustDomain } = published;
  switch (subject.kind) {
    case 'workload':
      return authorizeWorkload(node, uri, subject.uid, published);
    case 'node':
      return compare(`node ${node}`, nodeSpiffeId(trustDomain, node), uri);
    case 'controller':
      return compare('the controller', controllerSpiffeId(trustDomain), uri);
    case 'replica':
      return compare('the controller', replicaSpiffeId(trustDomain), uri);
  }
}

function authorizeWorkload(node: string, uri: string, uid: string, { findWorkload }: Published) {
  const workload = findWorkload(uid);
  if (workload === undefined || workload.node !== node || workload.capture === null) {
    // One answer for all three: a node learns nothing about workloads of others.
    return refuse('identity_not_on_node', `node ${node} runs no enrolled workload ${uid}`);
  }
  return compare(`workload ${uid}`, spiffeId(workload), uri);
}

function compare(whose: string, own: string, uri: string): { readonly ok: true } | Refused {
  if (uri === own) return { ok: true };
  return refuse('identity_mismatch', `${whose} is ${own}, not ${shorten(uri)}`);
}

function shorten(uri: string): string {
  return uri.length <= 200 ? uri : `${uri.slice(0, 199)}…`;
}
