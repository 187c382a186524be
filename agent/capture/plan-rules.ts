/** Kernel rules as map entries, and the steps from what is in force to what shall be. */
import type { KernelRules } from '../handover/messages.js';
import { action, destination, prefix, rule, verdict } from './abi-layout.js';
import { encodeRange } from './encode-address.js';
import { encodeStruct, encodeU32 } from './encode-struct.js';

/** Entries by key, both as hexadecimal text. */
export type MapEntries = ReadonlyMap<string, string>;

export interface RuleEntries {
  readonly destinations: MapEntries;
  readonly rules: MapEntries;
}

export type RuleMap = keyof RuleEntries;

/** One write, or one removal where `value` is null. */
export interface RuleStep {
  readonly map: RuleMap;
  readonly key: string;
  readonly value: string | null;
}

const actions = { direct: action.WEFT_DIRECT, deny: action.WEFT_DENY, proxy: action.WEFT_PROXY };
const verdicts = { allow: verdict.WEFT_VERDICT_ALLOW, deny: verdict.WEFT_VERDICT_DENY };

/** An entry's key and value, by what tells it from all others. */
type Encoded = ReadonlyMap<string, readonly [key: string, value: string]>;

/**
 * Keeps what it has put into bytes for the rules before: nearly all entries of a large mesh come again with each change. The
 * last of several entries with one key wins.
 */
export class RuleEncoder {
  #destinations: Encoded = new Map();
  #rules: Encoded = new Map();

  encode({ destinations, rules }: KernelRules): RuleEntries {
    this.#destinations = encodeAll(destinations, this.#destinations, nameDestination, encodeDestination);
    this.#rules = encodeAll(rules, this.#rules, nameRule, encodeRule);
    return { destinations: new Map(this.#destinations.values()), rules: new Map(this.#rules.values()) };
  }
}

type Destination = KernelRules['destinations'][number];
type Rule = KernelRules['rules'][number];

function encodeAll<Entry>(
  entries: readonly Entry[],
  before: Encoded,
  nameOf: (entry: Entry) => string,
  encode: (entry: Entry) => readonly [string, string],
): Encoded {
  const encoded = new Map<string, readonly [string, string]>();
  for (const entry of entries) {
    const name = nameOf(entry);
    const known = encoded.get(name) ?? before.get(name) ?? encode(entry);
    // The last one counts, also where it has been said before.
    encoded.delete(name);
    encoded.set(name, known);
  }
  return encoded;
}

function nameDestination({ cidr, action: what, group }: Destination): string {
  return `${cidr} ${what} ${group}`;
}

function encodeDestination({ cidr, action: what, group }: Destination): readonly [string, string] {
  const { ip, bits } = encodeRange(cidr);
  const value = encodeStruct(destination, { action: actions[what], group });
  return [encodeStruct(prefix, { bits, ip }).toString('hex'), value.toString('hex')];
}

function nameRule({ source, destination: to, port, verdict: what }: Rule): string {
  return `${source} ${to} ${port} ${what}`;
}

function encodeRule({ source, destination: to, port, verdict: what }: Rule): readonly [string, string] {
  const key = encodeStruct(rule, { destination: to, source, port });
  return [key.toString('hex'), encodeU32(verdicts[what]).toString('hex')];
}

const denyValue = encodeU32(verdicts.deny).toString('hex');

/**
 * Orders the steps so that nothing is let past on the way which neither state lets past: denials come first and leave
 * last; ranges change between them.
 */
export function planRules(current: RuleEntries, wanted: RuleEntries): RuleStep[] {
  const writes = (map: RuleMap, pick: (value: string) => boolean): RuleStep[] =>
    [...wanted[map]]
      .filter(([key, value]) => current[map].get(key) !== value && pick(value))
      .map(([key, value]) => ({ map, key, value }));
  const removals = (map: RuleMap, pick: (value: string) => boolean): RuleStep[] =>
    [...current[map]]
      .filter(([key, value]) => !wanted[map].has(key) && pick(value))
      .map(([key]) => ({ map, key, value: null }));
  const isDeny = (value: string) => value === denyValue;
  return [
    ...writes('rules', isDeny),
    ...writes('destinations', () => true),
    ...removals('destinations', () => true),
    ...writes('rules', (value) => !isDeny(value)),
    ...removals('rules', (value) => !isDeny(value)),
    ...removals('rules', isDeny),
  ];
}
