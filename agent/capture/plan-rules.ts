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

/** The last of several entries with one key wins. */
export function encodeRules({ destinations, rules }: KernelRules): RuleEntries {
  return {
    destinations: new Map(
      destinations.map((entry) => {
        const { ip, bits } = encodeRange(entry.cidr);
        const value = encodeStruct(destination, { action: actions[entry.action], group: entry.group });
        return [encodeStruct(prefix, { bits, ip }).toString('hex'), value.toString('hex')];
      }),
    ),
    rules: new Map(
      rules.map((entry) => {
        const { source, port } = entry;
        const key = encodeStruct(rule, { destination: entry.destination, source, port });
        return [key.toString('hex'), encodeU32(verdicts[entry.verdict]).toString('hex')];
      }),
    ),
  };
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
