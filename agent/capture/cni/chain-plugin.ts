/**
 * Weft's place in a node's CNI configuration: the last plugin of the network that the runtime gives to pods
 * (CNI specification 1.1.0, section 1). Text in, text out.
 */

/** What the plugin reads (native/cni/read-request.hpp, Settings). */
export interface ChainEntry {
  readonly socket: string;
  readonly namespacesFile: string;
  readonly exemptNamespaces: readonly string[];
  readonly waitMs: number;
}

export const pluginType = 'weft-cni';

/** How a file of the configuration folder stands. */
export type Chaining =
  /** No network that a runtime would take: it looks further. */
  | { readonly kind: 'no-network' }
  /** One plugin without a list (.conf): nothing can be chained to it. */
  | { readonly kind: 'no-list' }
  | { readonly kind: 'chained' }
  | { readonly kind: 'changed'; readonly text: string };

type Json = Record<string, unknown>;

/** The file's text with the entry as its last plugin, and nowhere else. */
export function chainPlugin(text: string, entry: ChainEntry): Chaining {
  const network = readObject(text);
  if (network === null) return { kind: 'no-network' };
  const { plugins } = network;
  if (plugins === undefined && typeof network.type === 'string') return { kind: 'no-list' };
  if (!Array.isArray(plugins) || plugins.length === 0) return { kind: 'no-network' };
  const wanted = { type: pluginType, ...entry };
  const same = JSON.stringify(plugins.at(-1)) === JSON.stringify(wanted);
  if (same && plugins.filter(isOurs).length === 1) return { kind: 'chained' };
  return { kind: 'changed', text: write({ ...network, plugins: [...withoutOurs(plugins), wanted] }) };
}

/** The file's text without weft; undefined where it is not in it. */
export function unchainPlugin(text: string): string | undefined {
  const network = readObject(text);
  if (!Array.isArray(network?.plugins) || !network.plugins.some(isOurs)) return undefined;
  return write({ ...network, plugins: withoutOurs(network.plugins) });
}

/** Names that a runtime looks at, in the order in which it does (libcni's ConfFiles): it takes the first network. */
export function networkFiles(names: readonly string[]): string[] {
  return names.filter((name) => /\.(conf|conflist|json)$/.test(name)).sort();
}

function readObject(text: string): Json | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null;
  } catch {
    return null;
  }
}

function isOurs(plugin: unknown): boolean {
  return (plugin as Json | null)?.type === pluginType;
}

function withoutOurs(plugins: readonly unknown[]): unknown[] {
  return plugins.filter((plugin) => !isOurs(plugin));
}

function write(network: Json): string {
  return `${JSON.stringify(network, null, 2)}\n`;
}
