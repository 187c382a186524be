/**
 * Deltas as bytes. A resource's bytes are made once, for all the nodes that get it: to make them anew for each of many
 * nodes is most of what a controller would do when they all come at once.
 */
import type { ConfigServiceDefinition, DeltaMessage, ResourceMessage } from '../../proto/messages.js';

type Serialize = (delta: DeltaMessage) => Buffer;

/** The service with a serializer of deltas that shares the bytes of equal (the same) resource messages. */
export function shareBytes(definition: ConfigServiceDefinition): ConfigServiceDefinition {
  const { Stream } = definition;
  const responseSerialize = sharingSerializer(Stream.responseSerialize as Serialize);
  return { ...definition, Stream: { ...Stream, responseSerialize } as typeof Stream };
}

/**
 * A message's fields may come in any order, and a repeated field in pieces (protobuf encoding, "Message structure"): so
 * a delta's bytes are those of all but its resources, and then those of a delta of each resource alone.
 */
export function sharingSerializer(serialize: Serialize): Serialize {
  const pieces = new WeakMap<ResourceMessage, Buffer>();
  const pieceOf = (resource: ResourceMessage): Buffer => {
    const known = pieces.get(resource);
    if (known !== undefined) return known;
    const piece = serialize({ upserts: [resource] });
    pieces.set(resource, piece);
    return piece;
  };
  return ({ upserts = [], ...rest }) => Buffer.concat([serialize(rest), ...upserts.map(pieceOf)]);
}
