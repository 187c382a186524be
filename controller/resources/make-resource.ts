/** Resources with their versions. */
import { createHash } from 'node:crypto';
import type { Resource, ResourceBodies, ResourceKind } from '../../model/resource.js';

/** A resource whose version is a hash of its body, so that equal bodies have equal versions on every controller. */
export function makeResource<Kind extends ResourceKind>(
  kind: Kind,
  name: string,
  ownerNamespace: string,
  body: ResourceBodies[Kind],
): Resource {
  return { kind, name, ownerNamespace, version: hashText(JSON.stringify(body)), body } as Resource;
}

/** A short text that no other text is likely to have. */
export function hashText(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}
