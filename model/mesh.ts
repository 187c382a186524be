/** What holds for the whole mesh. */

/** What the kernel does with destinations outside the mesh's own addresses (longest prefix wins). */
export type RangeAction = 'direct' | 'deny' | 'proxy';

export interface AddressRange {
  /** CIDR in canonical text, IPv4 or IPv6. */
  readonly cidr: string;
  readonly action: RangeAction;
}

export interface Mesh {
  readonly trustDomain: string;
  readonly cluster: string;
  readonly network: string;
  /** `proxy` ranges hold the mesh's own pods and virtual addresses; everything unlisted is direct. */
  readonly ranges: readonly AddressRange[];
  /** Kubernetes namespaces whose pods join the mesh: a node holds a new pod of theirs until its configuration is there. */
  readonly enrolledNamespaces: readonly string[];
}
