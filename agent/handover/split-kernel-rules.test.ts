import { type KernelRules, maxMessageBytes } from './messages.js';
import { parseProxyMessage } from './parse-proxy-message.js';
import { splitKernelRules } from './split-kernel-rules.js';

function makeRules(destinations: number, rules: number): KernelRules {
  return {
    destinations: Array.from({ length: destinations }, (_, at) => ({
      cidr: `fd00:1111:2222:3333:4444:5555:${at.toString(16)}:1/128`,
      action: 'direct',
      group: 4294967295,
    })),
    rules: Array.from({ length: rules }, (_, at) => ({
      source: 4294967295,
      destination: at + 4294000000,
      port: 65535,
      verdict: 'allow',
    })),
  };
}

test.each([
  [0, 0],
  [1, 1],
  [5_000, 0],
  [0, 5_000],
  [2_500, 6_000],
])('%i destinations and %i rules arrive whole, each packet within the bound', (destinations, rules) => {
  const sent = makeRules(destinations, rules);
  const packets = splitKernelRules(sent).map((message) => Buffer.from(JSON.stringify(message)));
  const got: { destinations: unknown[]; rules: unknown[] } = { destinations: [], rules: [] };
  for (const [index, packet] of packets.entries()) {
    expect(packet.length).toBeLessThanOrEqual(maxMessageBytes);
    const message = parseProxyMessage(packet);
    if (message.type !== 'kernel-rules') throw new Error(message.type);
    expect(message.more).toBe(index < packets.length - 1);
    got.destinations.push(...message.rules.destinations);
    got.rules.push(...message.rules.rules);
  }
  expect(got).toEqual(sent);
});
