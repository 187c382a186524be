/**
 * Names of the mesh's own processes: SPIFFE ids below /weft/, where no workload's can be (those are below /ns/). So a
 * certificate of one kind is never taken for the other.
 */

/** What a node's proxy proves to the controller. */
export function nodeSpiffeId(trustDomain: string, node: string): string {
  return `spiffe://${trustDomain}/weft/node/${node}`;
}

/** What the controller proves to nodes. */
export function controllerSpiffeId(trustDomain: string): string {
  return `spiffe://${trustDomain}/weft/controller`;
}

/** What one replica of the controller proves to another one, which it calls. */
export function replicaSpiffeId(trustDomain: string): string {
  return `spiffe://${trustDomain}/weft/replica`;
}

/** The node that a SPIFFE id of this trust domain names; null where it names none. */
export function nodeOfSpiffeId(spiffeId: string, trustDomain: string): string | null {
  const start = nodeSpiffeId(trustDomain, '');
  const node = spiffeId.slice(start.length);
  return spiffeId.startsWith(start) && isNodeName(node) ? node : null;
}

/** The trust domain of a controller's SPIFFE id; null where it is no controller's. */
export function trustDomainOfController(spiffeId: string): string | null {
  return /^spiffe:\/\/([a-z0-9._-]{1,255})\/weft\/controller$/.exec(spiffeId)?.[1] ?? null;
}

/** A DNS name in lower case, as Kubernetes names nodes. */
export function isNodeName(text: string): boolean {
  return /^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/.test(text);
}
