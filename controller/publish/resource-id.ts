/** A resource's kind and name as one text. */
import type { ResourceKey } from '../../model/resource.js';

export type ResourceId = string;

export function resourceId({ kind, name }: ResourceKey): ResourceId {
  return `${kind} ${name}`;
}
