/** Where answers come from: a weft of this machine, or one of a cluster. Commands know no more of it than this. */

/** One part's answer, or why there is none. */
export type Asked<Answer> =
  | { readonly name: string; readonly ok: true; readonly answer: Answer }
  | { readonly name: string; readonly ok: false; readonly error: string };

/** Parts answer JSON of the build that they are; a page that they do not have is an error of theirs. */
export interface MeshSource {
  /** Asks every node's proxy for a page; `name` is the node's. One that cannot be asked does not keep the others. */
  askProxies<Answer>(path: string): Promise<Asked<Answer>[]>;
  /** As {@link askProxies}, for text. */
  readProxies(path: string): Promise<Asked<string>[]>;
  /** Every replica of the controller; `name` is its pod's. Empty where it is on another machine. */
  askControllers<Answer>(path: string): Promise<Asked<Answer>[]>;
  close(): void;
}

/** The answers that came. */
export function answers<Answer>(asked: readonly Asked<Answer>[]): Answer[] {
  return asked.flatMap((one) => (one.ok ? [one.answer] : []));
}

/** Names and errors of those that did not answer. */
export function silent(
  asked: readonly Asked<unknown>[],
): { readonly name: string; readonly error: string }[] {
  return asked.flatMap((one) => (one.ok ? [] : [{ name: one.name, error: one.error }]));
}

/** The asked part is of the same build, so its answer has the asked shape. */
export function parseAnswer<Answer>(asked: Asked<string>): Asked<Answer> {
  return asked.ok ? { ...asked, answer: JSON.parse(asked.answer) as Answer } : asked;
}
