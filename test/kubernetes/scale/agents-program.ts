/**
 * Simulated agents in a process of their own, so that what they use is not taken for the controller's. Told by its
 * parent's messages.
 * usage: agents-program ADDRESS
 */
import { CountingAgent } from './counting-agent.js';

export interface SimulatedAgent {
  readonly node: string;
  /** Keys of those that it wants. */
  readonly services: readonly string[];
}

export type AgentsRequest =
  | {
      readonly type: 'connect';
      readonly agents: readonly SimulatedAgent[];
    }
  /** Answered at once, and once more when these nodes have acknowledged a delta that holds the text. */
  | { readonly type: 'await'; readonly text: string; readonly nodes: readonly string[] }
  | { readonly type: 'usage' };

export type AgentsAnswer =
  | { readonly type: 'connected' | 'awaiting' }
  /** While they connect, now and then: how many have their first configuration. */
  | { readonly type: 'progress'; readonly whole: number; readonly drops: number }
  /** `atMs`: when the last one had acknowledged it (monotonicMs). */
  | { readonly type: 'reached'; readonly atMs: number }
  | {
      readonly type: 'usage';
      readonly bytes: number;
      readonly deltas: number;
      readonly drops: number;
      readonly cpuMs: number;
    };

/** Agents that get their first configuration at the same time. */
const atOnce = 16;

const [, , address = ''] = process.argv;
const agents = new Map<string, CountingAgent>();

const answer = (message: AgentsAnswer) => process.send?.(message);

/** Resolves once the agent has its first configuration. */
async function connect({ node, services }: SimulatedAgent): Promise<void> {
  const agent = new CountingAgent(address, node, services);
  agents.set(node, agent);
  await agent.whole;
}

function sum(of: (agent: CountingAgent) => number): number {
  return [...agents.values()].reduce((total, agent) => total + of(agent), 0);
}

async function act(request: AgentsRequest): Promise<void> {
  switch (request.type) {
    case 'connect': {
      // One process reads for all of them: a few at a time, else none would answer the controller's keepalives in time.
      for (let at = 0; at < request.agents.length; at += atOnce) {
        await Promise.all(request.agents.slice(at, at + atOnce).map(connect));
        answer({ type: 'progress', whole: agents.size, drops: sum(({ drops }) => drops) });
      }
      answer({ type: 'connected' });
      break;
    }
    case 'await': {
      const reached = Promise.all(request.nodes.map((node) => agents.get(node)?.gets(request.text) ?? 0));
      answer({ type: 'awaiting' });
      answer({ type: 'reached', atMs: Math.max(...(await reached)) });
      break;
    }
    case 'usage': {
      const { user, system } = process.cpuUsage();
      const [bytes, deltas] = [sum((agent) => agent.bytes), sum((agent) => agent.deltas)];
      answer({
        type: 'usage',
        bytes,
        deltas,
        drops: sum((agent) => agent.drops),
        cpuMs: (user + system) / 1000,
      });
      break;
    }
  }
}

process.on('message', (request: AgentsRequest) => void act(request));
process.on('disconnect', () => process.exit(0));
