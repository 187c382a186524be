/**
 * Run on a node of the cluster: says to a controller that it is this node or that one, and asks for what it wants.
 * usage: impostor-program JSON      prints a JSON list: for each attempt `given`, or the name under which it was refused
 */
import { type Answer, RogueNode } from '../../netns/harness/rogue-node.js';
import type { Attempt, Attempts } from './impostor.js';

const { address, roots, trustDomain, attempts } = JSON.parse(process.argv[2] ?? '') as Attempts;
const rogue = new RogueNode(address, roots);

function make(attempt: Attempt): Promise<Answer> {
  if (attempt.kind === 'join') {
    const { token, node } = attempt;
    return rogue.join(token, node, `spiffe://${trustDomain}/weft/node/${node}`);
  }
  const { node, workload, spiffeId } = attempt;
  return rogue.issue(node, workload, spiffeId);
}

const answers: string[] = [];
for (const attempt of attempts) {
  const answer = await make(attempt);
  answers.push(typeof answer === 'string' ? answer : 'given');
  // From then on it proves what it got.
  if (attempt.kind === 'join' && typeof answer !== 'string') rogue.proof = answer;
}
process.stdout.write(JSON.stringify(answers));
