/** Users' regular expressions: RE2 only, so that a match takes linear time, anchored at both ends, bounded in size. */
import { RE2JS } from 're2js';

/** Characters of an expression's text. */
export const maxRegexLength = 1024;

/** Instructions of the compiled program: what a match costs at worst for each character. */
export const maxRegexProgram = 250;

/** Longer texts do not match. With the bound above a match takes at worst some 20 ms. */
export const maxRegexInput = 8192;

/**
 * Bytes that one expression's automaton may cache. The library's own 8 MiB would let a few hundred expressions fill
 * the process, and makes hostile ones slower: states are built and never met again.
 */
const automatonBytes = 128 * 1024;

/** A compiled expression. */
export interface Regex {
  readonly source: string;
  /** Whether the whole text matches. */
  matches(text: string): boolean;
}

/** Compiles an expression, or says in a sentence why it cannot be. */
export function compileRegex(source: string): Regex | { readonly message: string } {
  if (source.length > maxRegexLength) {
    return { message: `the expression has ${source.length} characters; ${maxRegexLength} are allowed` };
  }
  let program: RE2JS;
  try {
    program = RE2JS.compile(source);
  } catch (error) {
    return { message: error instanceof Error ? error.message : String(error) };
  }
  const size = program.programSize();
  if (size > maxRegexProgram) {
    return { message: `the expression compiles to ${size} instructions; ${maxRegexProgram} are allowed` };
  }
  const automaton = program.re2().dfa;
  automaton.stateBudget = automatonBytes;
  automaton.memBudget = automatonBytes;
  return { source, matches: (text) => text.length <= maxRegexInput && program.testExact(text) };
}
