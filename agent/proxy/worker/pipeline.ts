/** A pipeline is a list of stages, read from top to bottom; each fills its slot or ends the way with an answer. */
import type { DecisionContext } from './decision-context.js';

/** Returns true to go on; false where it has answered. May throw: the row then fails closed. */
export type Stage<Subject> = (context: DecisionContext, subject: Subject) => boolean;

/** Stages by the name of the slot that they fill, in order. */
export type Pipeline<Subject> = readonly (readonly [slot: string, stage: Stage<Subject>])[];

/** Runs the stages until one has answered; true where none has. */
export function runPipeline<Subject>(
  pipeline: Pipeline<Subject>,
  context: DecisionContext,
  subject: Subject,
): boolean {
  for (let at = 0; at < pipeline.length; at += 1) {
    const entry = pipeline[at] as Pipeline<Subject>[number];
    if (!entry[1](context, subject)) return false;
  }
  return true;
}
