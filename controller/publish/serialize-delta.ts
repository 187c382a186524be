/**
 * Deltas as bytes. A resource's bytes are made once, for all the nodes that get it: to make them anew for each of many
 * nodes is most of what a controller would do when they all come at once. They are all that is kept of it: as a message
 * it would take several times as much.
 */
import type { Resource } from '../../model/resource.js';
import { encodeResource } from '../../proto/encode-resource.js';
import type { ConfigServiceDefinition, DeltaMessage } from '../../proto/messages.js';

/** A delta whose resources have not been put into messages yet. */
export interface OutgoingDelta extends Omit<DeltaMessage, 'upserts'> {
  readonly upserts: readonly Resource[];
}

type Serialize<Delta> = (delta: Delta) => Buffer;

/** The service with a serializer of outgoing deltas that shares the bytes of resources. */
export function shareBytes({ Stream }: ConfigServiceDefinition) {
  return { Stream: { ...Stream, responseSerialize: sharingSerializer(Stream.responseSerialize) } };
}

/**
 * A message's fields may come in any order, and a repeated field in pieces (protobuf encoding, "Message structure"): so
 * a delta's bytes are those of all but its resources, and then those of a delta of each resource alone.
 */
export function sharingSerializer(serialize: Serialize<DeltaMessage>): Serialize<OutgoingDelta> {
  const pieces = new WeakMap<Resource, Buffer>();
  const pieceOf = (resource: Resource): Buffer => {
    const known = pieces.get(resource);
    if (known !== undefined) return known;
    const piece = serialize({ upserts: [encodeResource(resource)] });
    pieces.set(resource, piece);
    return piece;
  };
  return ({ upserts, ...rest }) => Buffer.concat([serialize(rest), ...upserts.map(pieceOf)]);
}
