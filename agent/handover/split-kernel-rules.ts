/** Kernel rules of a large mesh do not fit one packet. */
import { type KernelRules, maxMessageBytes, type ProxyMessage } from './messages.js';

type RulesMessage = Extract<ProxyMessage, { type: 'kernel-rules' }>;

/** Longest text of one entry with the comma: `{"source":4294967295,…,"verdict":"allow"}`. */
const maxEntryBytes = 128;
const entriesPerPacket = Math.floor((maxMessageBytes - 256) / maxEntryBytes);

/** The rules as messages that fit a packet each; in force when the last (`more` false) has come. */
export function splitKernelRules({ destinations, rules }: KernelRules): RulesMessage[] {
  const messages: RulesMessage[] = [];
  const total = destinations.length + rules.length;
  for (let from = 0; from === 0 || from < total; from += entriesPerPacket) {
    const to = from + entriesPerPacket;
    messages.push({
      type: 'kernel-rules',
      rules: {
        destinations: destinations.slice(from, to),
        rules: rules.slice(Math.max(0, from - destinations.length), Math.max(0, to - destinations.length)),
      },
      more: to < total,
    });
  }
  return messages;
}
