/** What a command does where parts do not answer. */
import { type Asked, answers } from '../mesh-source.js';
import { CommandError } from '../usage-error.js';

/** The answers, and what is missing for want of others. Throws CommandError where not one answered. */
export function requireAnswers<Answer>(asked: readonly Asked<Answer>[]): {
  readonly found: Answer[];
  readonly warnings: string[];
} {
  const found = answers(asked);
  const [first] = asked;
  if (first === undefined)
    throw new CommandError('no node has an agent of weft: kubectl weft check says why');
  if (found.length === 0 && !first.ok) throw new CommandError(first.error);
  return { found, warnings: warnOfSilent(asked) };
}

/** Parts that did not answer: what is shown lacks them. */
export function warnOfSilent(asked: readonly Asked<unknown>[]): string[] {
  return asked.flatMap((one) => (one.ok ? [] : [`${one.name} is missing: ${one.error}`]));
}
