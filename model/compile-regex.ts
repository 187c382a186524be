/** Users' regular expressions: RE2 only, so that a match takes linear time, anchored at both ends, bounded in size. */
import { RE2JS } from 're2js';

/** Characters of an expression's text. */
export const maxRegexLength = 1024;

/** Instructions of the compiled program; `(a{100}){100}` is refused though its text is short. */
export const maxRegexProgram = 2000;

/** Longer texts do not match; paths and header values are bounded by the engine well below. */
export const maxRegexInput = 65536;

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
  return { source, matches: (text) => text.length <= maxRegexInput && program.testExact(text) };
}
