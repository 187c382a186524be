/** What replicas of the controller say to each other, from and to its messages. What cannot be read is an error. */

import type { TransportPhase } from '../../model/workload.js';
import { decodeCapture, transportPhases } from '../../proto/decode-workload.js';
import type {
  HolderWireMessage,
  NodeStandingMessage,
  PhaseTableMessage,
  ReceivedHolderMessage,
  ReceivedNodeStanding,
  ReceivedPhaseTable,
  ReceivedReplicaMessage,
  ReplicaWireMessage,
} from '../../proto/messages.js';
import { ProblemList } from '../../proto/problem-list.js';
import type { NodeStatus } from '../publish/publisher.js';
import type { HolderMessage, PhaseEntry, PhaseNews, ReplicaMessage } from '../transport/phase-news.js';

/** How a node stands at the replica that it is connected to. */
export interface NodeStanding extends Omit<NodeStatus, 'ackedVersion'> {
  /** It has all that its replica publishes. */
  readonly reached: boolean;
}

export function encodeForHolder(message: ReplicaMessage): ReplicaWireMessage {
  switch (message.type) {
    case 'hello':
      return { hello: encodeTable(message.table) };
    case 'come': {
      const held = [...message.held].map(([uid, transport]) => ({ uid, transport }));
      return { come: { node: message.node, held } };
    }
    case 'gone':
      return { gone: { node: message.node } };
    case 'acked':
      return { acked: { node: message.node, generation: message.generation } };
    case 'report': {
      const workloads = [...message.workloads].map(([uid, ready]) => ({
        uid,
        captured: ready,
        identityReady: ready,
      }));
      return { reported: { node: message.node, report: { workloads } } };
    }
    case 'applied':
      return { applied: message.generation };
  }
}

/** Throws where the message is none that is known. */
export function decodeFromReplica(message: ReceivedReplicaMessage): ReplicaMessage | NodeStanding {
  const { hello, come, gone, acked, reported, applied, standing } = message;
  if (hello) return { type: 'hello', table: decodeTable(hello) };
  if (come) {
    const held = come.held.map(({ uid, transport }) => [uid, readPhase(transport)] as const);
    return { type: 'come', node: come.node, held: new Map(held) };
  }
  if (gone) return { type: 'gone', node: gone.node };
  if (acked) return { type: 'acked', node: acked.node, generation: acked.generation };
  if (reported) {
    const workloads = (reported.report?.workloads ?? []).map(
      ({ uid, captured, identityReady }) => [uid, captured && identityReady] as const,
    );
    return { type: 'report', node: reported.node, workloads: new Map(workloads) };
  }
  if (standing) return decodeStanding(standing);
  if (message.message === 'applied' && applied !== undefined) return { type: 'applied', generation: applied };
  throw new Error('a replica sent a message of no known kind');
}

export function encodeForReplica(message: HolderMessage): HolderWireMessage {
  return message.type === 'welcome' ? { welcome: message.node } : { phases: encodeTable(message.news) };
}

/** Throws where the message is none that is known. */
export function decodeFromHolder({ phases, welcome }: ReceivedHolderMessage): HolderMessage {
  if (phases) return { type: 'phases', news: decodeTable(phases) };
  if (welcome) return { type: 'welcome', node: welcome };
  throw new Error('the holder sent a message of no known kind');
}

export function encodeStanding({ refusals, ...rest }: NodeStanding): NodeStandingMessage {
  return { ...rest, refusals: [...refusals] };
}

function decodeStanding(standing: ReceivedNodeStanding): NodeStanding {
  const { node, connected, agentVersion, reached, refusals } = standing;
  return { node, connected, agentVersion, reached, refusals };
}

function encodeTable({ stamp, whole, entries, gone }: PhaseNews): PhaseTableMessage {
  return {
    ...stamp,
    whole,
    entries: [...entries].map(([uid, { capture, ...entry }]) => ({
      uid,
      ...entry,
      capture: capture === null ? null : { ...capture, probePorts: [...capture.probePorts] },
    })),
    gone: [...gone],
  };
}

function decodeTable({ term, generation, whole, entries, gone }: ReceivedPhaseTable): PhaseNews {
  const problems = new ProblemList();
  const read = entries.map(({ uid, phase, wanted, capture, since }): readonly [string, PhaseEntry] => [
    uid,
    {
      phase: readPhase(phase),
      wanted,
      capture: capture === null ? null : decodeCapture(capture, problems),
      since,
    },
  ]);
  const [first] = problems.problems;
  if (first !== undefined)
    throw new Error(`a table of phases cannot be read: ${first.field} ${first.message}`);
  return { stamp: { term, generation }, whole, entries: new Map(read), gone };
}

function readPhase(text: string): TransportPhase {
  const phase = transportPhases.find((known) => known === text);
  if (phase === undefined) throw new Error(`'${text.slice(0, 40)}' is no phase`);
  return phase;
}
