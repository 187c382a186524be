/** What an agent reads from one delta of the stream. */
import type { Problem, Resource, ResourceKey, ResourceKind } from '../model/resource.js';
import type { Detail } from '../model/workload-index.js';
import { decodeResource } from './decode-resource.js';
import type { ReceivedDelta, ReceivedDetail } from './messages.js';

/** A resource that could not be read; the agent adds those that it cannot apply and acknowledges with all. */
export interface RefusedResource {
  readonly kind: ResourceKind | 'unknown';
  readonly name: string;
  readonly version: string;
  readonly problems: readonly Problem[];
}

export interface DecodedDelta {
  readonly nonce: number;
  readonly snapshotVersion: number;
  /** True once this delta makes the agent hold all that the controller has for it. What is gone is in removals. */
  readonly complete: boolean;
  readonly upserts: readonly Resource[];
  readonly removals: readonly ResourceKey[];
  readonly refused: readonly RefusedResource[];
  /** What the agent wanted, where this is what it saved. */
  readonly wants: readonly Detail[];
}

const kinds: readonly ResourceKind[] = [
  'mesh',
  'workload',
  'workload-index',
  'service',
  'endpoints',
  'http-route',
  'grpc-route',
  'authorization-policy',
];

/** Narrows a kind's name as it travels. */
export function isResourceKind(text: string): text is ResourceKind {
  return (kinds as readonly string[]).includes(text);
}

/** Details as they travel; kinds that this build does not know are left out. */
export function decodeDetails(received: readonly ReceivedDetail[]): Detail[] {
  return received.flatMap(({ kind, name }) =>
    (kind === 'service' || kind === 'workload') && name !== '' ? [{ kind, name }] : [],
  );
}

/** Splits a received delta into what is good and what must be refused. Removals of unknown kinds are ignored. */
export function decodeDelta(message: ReceivedDelta): DecodedDelta {
  const upserts: Resource[] = [];
  const refused: RefusedResource[] = [];
  for (const received of message.upserts) {
    const decoded = decodeResource(received);
    if (decoded.ok) upserts.push(decoded.resource);
    else refused.push(decoded);
  }
  const removals: ResourceKey[] = [];
  for (const { kind, name } of message.removals) if (isResourceKind(kind)) removals.push({ kind, name });
  const { nonce, snapshotVersion, complete } = message;
  const wants = decodeDetails(message.wants);
  return { nonce, snapshotVersion, complete, upserts, removals, refused, wants };
}
