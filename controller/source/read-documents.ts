/** Splits a YAML or JSON text into documents that know their lines. */
import { type Document, isMap, isSeq, LineCounter, type Node, parseAllDocuments } from 'yaml';
import type { FieldPath } from '../parse/field-problem.js';
import type { SourceChange, SourceDocument } from './source.js';

/** Bounds on one file. */
export const maxFileBytes = 4 * 1024 * 1024;
export const maxDocuments = 5000;
/** Aliases may repeat a node this often in all; more is a "billion laughs". */
const maxAliases = 100;

/** What a file holds; an empty one holds nothing. A text with any syntax error is unreadable as a whole: half of it could mean another thing. */
export function readDocuments(origin: string, text: string): SourceChange {
  try {
    return parseText(origin, text);
  } catch (error) {
    // The parser recurses, so absurdly deep nesting ends in a RangeError; alias bombs in a ReferenceError.
    return unreadable(
      origin,
      0,
      '',
      error instanceof Error ? error.message : String(error),
      'simplify the file',
    );
  }
}

function parseText(origin: string, text: string): SourceChange {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: true, stringKeys: true });
  const list: readonly Document.Parsed[] = Array.isArray(parsed) ? parsed : [];
  for (const { errors } of list) {
    const [error] = errors;
    if (error === undefined) continue;
    const { line, col } = lines.linePos(error.pos[0]);
    const message = error.message.split(' at line ')[0] ?? error.message;
    const shown = text.split('\n', line)[line - 1]?.trim() ?? '';
    return unreadable(origin, line, shown, `is no valid YAML: ${message}`, `look at column ${col}`);
  }
  const documents: SourceDocument[] = [];
  for (const document of list) {
    if (document.contents === null) continue;
    documents.push(...expandList(readDocument(document, lines)));
  }
  if (documents.length > maxDocuments) {
    const fix = 'split the file';
    return unreadable(origin, 0, String(documents.length), `holds more than ${maxDocuments} documents`, fix);
  }
  return { type: 'holds', origin, documents };
}

function readDocument(document: Document.Parsed, lines: LineCounter): SourceDocument {
  const locate = (path: FieldPath) => {
    const offset = findOffset(document.contents, path);
    return lines.linePos(offset).line;
  };
  return { value: document.toJS({ maxAliasCount: maxAliases }) as unknown, locate };
}

/** Kubernetes' List of objects counts as its items. */
function expandList(document: SourceDocument): SourceDocument[] {
  const value = document.value as { kind?: unknown; apiVersion?: unknown; items?: unknown } | null;
  const isList = value?.apiVersion === 'v1' && value.kind === 'List' && Array.isArray(value.items);
  if (!isList) return [document];
  return (value.items as unknown[]).map((item, index) => ({
    value: item,
    locate: (path) => document.locate(['items', index, ...path]),
  }));
}

/** Where the deepest existing node of a path begins: a map's entry by its key. */
function findOffset(root: Node | null, path: FieldPath): number {
  let node: unknown = root;
  let offset = root?.range?.[0] ?? 0;
  for (const segment of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => String((item.key as { value?: unknown }).value) === segment);
      if (pair === undefined) break;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node) && typeof segment === 'number') {
      const item = node.items[segment] as Node | undefined;
      if (item === undefined) break;
      offset = item.range?.[0] ?? offset;
      node = item;
    } else break;
  }
  return offset;
}

/** Makes the change that keeps what an origin held. */
export function unreadable(
  origin: string,
  line: number,
  value: string,
  message: string,
  fix: string,
): SourceChange {
  return { type: 'unreadable', origin, line, value, message, fix };
}
