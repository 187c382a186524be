/** Matches of one hostname, found by path: a hash for exact paths, a radix tree for prefixes, a list for the rest. */
import type { CompiledMatch } from './compile-route.js';

/** A node of the radix tree; edges are labelled by text, children found by its first code unit. */
export interface PrefixNode {
  readonly label: string;
  /** The matches of the prefix that ends here, in order of precedence; empty where none does. */
  readonly matches: readonly CompiledMatch[];
  /** The node of the next shorter prefix by whole elements, null at the end of the chain. */
  readonly shorter: PrefixNode | null;
  readonly children: ReadonlyMap<number, PrefixNode>;
}

/** Tried in this order: exact, prefixes from the longest, regexes, then the prefix `/`, which is every path. */
export interface PathIndex {
  readonly exact: ReadonlyMap<string, readonly CompiledMatch[]>;
  readonly prefixes: PrefixNode | null;
  readonly regexes: readonly CompiledMatch[];
  readonly root: readonly CompiledMatch[];
}

interface Growing {
  label: string;
  matches: CompiledMatch[];
  shorter: Growing | null;
  children: Map<number, Growing>;
}

/** Builds the index of matches that are in order of precedence apart from their paths. */
export function buildPathIndex(matches: readonly CompiledMatch[]): PathIndex {
  const exact = new Map<string, CompiledMatch[]>();
  const prefixes = new Map<string, CompiledMatch[]>();
  const regexes: CompiledMatch[] = [];
  for (const match of matches) {
    if (match.pathKind === 'regex') regexes.push(match);
    else append(match.pathKind === 'exact' ? exact : prefixes, match.path, match);
  }
  const root = prefixes.get('') ?? [];
  prefixes.delete('');
  return { exact, prefixes: prefixes.size === 0 ? null : growTree(prefixes), regexes, root };
}

function append(lists: Map<string, CompiledMatch[]>, key: string, match: CompiledMatch): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [match]);
  else list.push(match);
}

function growTree(prefixes: ReadonlyMap<string, CompiledMatch[]>): PrefixNode {
  const root: Growing = newNode('');
  const ends = new Map<string, Growing>();
  // Shorter prefixes first, so that each finds the next shorter one already there.
  const byLength = [...prefixes].sort(([a], [b]) => a.length - b.length);
  for (const [prefix, matches] of byLength) {
    const end = insert(root, prefix);
    end.matches = matches;
    end.shorter = nextShorter(ends, prefix);
    ends.set(prefix, end);
  }
  return root;
}

function newNode(label: string): Growing {
  return { label, matches: [], shorter: null, children: new Map() };
}

function nextShorter(ends: ReadonlyMap<string, Growing>, prefix: string): Growing | null {
  for (let slash = prefix.lastIndexOf('/'); slash > 0; slash = prefix.lastIndexOf('/', slash - 1)) {
    const found = ends.get(prefix.slice(0, slash));
    if (found !== undefined) return found;
  }
  return null;
}

/** Finds or makes the node at the end of `text`, splitting an edge where the text leaves it half-way. */
function insert(root: Growing, text: string): Growing {
  let node = root;
  let at = 0;
  while (at < text.length) {
    const unit = text.charCodeAt(at);
    const child = node.children.get(unit);
    if (child === undefined) {
      const leaf = newNode(text.slice(at));
      node.children.set(unit, leaf);
      return leaf;
    }
    const shared = sharedLength(child.label, text, at);
    if (shared < child.label.length) {
      const middle = newNode(child.label.slice(0, shared));
      child.label = child.label.slice(shared);
      middle.children.set(child.label.charCodeAt(0), child);
      node.children.set(unit, middle);
      node = middle;
    } else node = child;
    at += shared;
  }
  return node;
}

function sharedLength(label: string, text: string, at: number): number {
  let length = 0;
  while (length < label.length && label.charCodeAt(length) === text.charCodeAt(at + length)) length += 1;
  return length;
}

/** The node of the longest prefix that matches a path by whole elements, or null; shorter ones follow by `shorter`. */
export function longestPrefix(root: PrefixNode, path: string): PrefixNode | null {
  let best: PrefixNode | null = null;
  let node = root;
  let at = 0;
  for (;;) {
    const child = node.children.get(path.charCodeAt(at));
    if (child === undefined || !path.startsWith(child.label, at)) return best;
    at += child.label.length;
    if (child.matches.length > 0 && (at === path.length || path.charCodeAt(at) === 0x2f)) best = child;
    node = child;
  }
}
