/**
 * Where configuration comes from. A source tells what each origin holds (a file of a folder; one object of a
 * Kubernetes API), whole and untrusted; everything after it is the same for all sources.
 */
import type { FieldPath } from '../parse/field-problem.js';

/** One object as the source holds it. */
export interface SourceDocument {
  readonly value: unknown;
  /** Line of a field (or of the nearest one above it that exists), counted from 1; 0 where there are no lines. */
  readonly locate: (path: FieldPath) => number;
}

export type SourceChange =
  /** The origin now holds exactly these documents. */
  | { readonly type: 'holds'; readonly origin: string; readonly documents: readonly SourceDocument[] }
  /** The origin cannot be read: what it held last stays in force. */
  | {
      readonly type: 'unreadable';
      readonly origin: string;
      readonly line: number;
      readonly value: string;
      readonly message: string;
      readonly fix: string;
    }
  /** The origin is gone, and what it held with it. */
  | { readonly type: 'gone'; readonly origin: string };

export interface Source {
  /**
   * Begins to watch. `apply` is called once with all that there is, then with each batch of changes; a batch takes
   * effect as a whole. Rejects where the source cannot be reached at all.
   */
  start(apply: (changes: readonly SourceChange[]) => void): Promise<void>;
  stop(): void;
}
