/** The batch's memory as typed arrays, after comparing the addon's layout and words with native/engine.ts. */

import type { Completions, Rows, Verdicts } from './engine.js';
import * as contract from './engine.js';

type ColumnArray = Uint8Array | Uint16Array | Int16Array | Uint32Array | Float64Array;
type ColumnConstructor<A> = A extends Uint8Array
  ? typeof Uint8Array
  : A extends Uint16Array
    ? typeof Uint16Array
    : A extends Int16Array
      ? typeof Int16Array
      : A extends Uint32Array
        ? typeof Uint32Array
        : typeof Float64Array;

/** For each column its array type; how many elements a row has where that is not one. */
type ColumnTypes<Columns> = { readonly [Name in keyof Columns]: ColumnConstructor<Columns[Name]> };

const rowColumns: ColumnTypes<Rows> = {
  kind: Uint8Array,
  id: Uint32Array,
  generation: Uint32Array,
  workload: Uint32Array,
  direction: Uint8Array,
  connectionTag: Uint32Array,
  requestTag: Uint32Array,
  flags: Uint16Array,
  method: Uint8Array,
  attempt: Uint8Array,
  reason: Uint16Array,
  status: Uint16Array,
  destinationIp: Uint8Array,
  destinationPort: Uint16Array,
  sourceIp: Uint8Array,
  sourcePort: Uint16Array,
  methodOffset: Uint32Array,
  methodLength: Uint16Array,
  pathOffset: Uint32Array,
  pathLength: Uint32Array,
  hostOffset: Uint32Array,
  hostLength: Uint16Array,
  bodyBytes: Float64Array,
  headerOffset: Uint32Array,
  headerLength: Uint32Array,
  peerOffset: Uint32Array,
  peerLength: Uint16Array,
  alpn: Uint8Array,
  protocol: Uint8Array,
};

const verdictColumns: ColumnTypes<Verdicts> = {
  action: Uint8Array,
  flags: Uint8Array,
  reason: Uint16Array,
  endpoint: Uint32Array,
  tag: Uint32Array,
  requestEdit: Uint16Array,
  responseEdit: Uint16Array,
  reply: Uint16Array,
  retryStatuses: Uint16Array,
  deadlineMs: Uint32Array,
  backendTimeoutMs: Uint32Array,
  delayMs: Uint32Array,
  bufferBytes: Uint32Array,
  pathOffset: Uint32Array,
  pathLength: Uint32Array,
  hostOffset: Uint32Array,
  hostLength: Uint32Array,
  extraOffset: Uint32Array,
  extraLength: Uint32Array,
  bodyOffset: Uint32Array,
  bodyLength: Uint32Array,
};

const completionColumns: ColumnTypes<Completions> = {
  kind: Uint8Array,
  workload: Uint32Array,
  direction: Uint8Array,
  connectionTag: Uint32Array,
  requestTag: Uint32Array,
  endpoint: Uint32Array,
  status: Uint16Array,
  grpcStatus: Int16Array,
  reason: Uint16Array,
  attempt: Uint8Array,
  reused: Uint8Array,
  bytesReceived: Float64Array,
  bytesSent: Float64Array,
  decideUs: Float64Array,
  connectUs: Float64Array,
  firstByteUs: Float64Array,
  totalUs: Float64Array,
};

/** Columns with more than one element a row. */
const elementsPerRow: Readonly<Record<string, number>> = {
  destinationIp: 16,
  sourceIp: 16,
  headerOffset: contract.maxWantedHeaders,
  headerLength: contract.maxWantedHeaders,
};

interface ColumnLayout {
  readonly name: string;
  readonly elementBytes: number;
  readonly perRow: number;
  readonly offset: number;
  readonly elements: number;
}

interface Range {
  readonly offset: number;
  readonly bytes: number;
}

/** What the addon says of its batch (native/addon/engine-layout.cc). */
export interface BatchLayout {
  readonly rows: readonly ColumnLayout[];
  readonly verdicts: readonly ColumnLayout[];
  readonly completions: readonly ColumnLayout[];
  readonly text: Range;
  readonly scratch: Range;
  readonly control: Range;
}

/** Enumerations by name, as the addon was compiled with. */
export type Words = Readonly<Record<string, Readonly<Record<string, number>>>>;

const { RowKind, Action, Alpn, Direction, Method, RowFlag, VerdictFlag, CompletionKind } = contract;
const { originalDestination, maxWantedHeaders, absentHeader } = contract;
const expectedWords: Words = {
  RowKind,
  Action,
  Alpn,
  Direction,
  Method,
  RowFlag,
  VerdictFlag,
  CompletionKind,
  numbers: { originalDestination, maxWantedHeaders, absentHeader },
};

function sameWords(expected: Words, actual: Words): boolean {
  const flat = (words: Words) =>
    Object.entries(words)
      .flatMap(([group, values]) =>
        Object.entries(values).map(([name, value]) => `${group}.${name}=${value}`),
      )
      .sort()
      .join(' ');
  return flat(expected) === flat(actual);
}

/** Throws where the addon was built from another contract than this code. */
export function checkWords(words: Words): void {
  if (!sameWords(expectedWords, words))
    throw new Error(
      'the engine addon was built from another contract (enumerations differ); run `make native typescript`',
    );
}

function viewColumns<Columns>(
  types: ColumnTypes<Columns>,
  layout: readonly ColumnLayout[],
  memory: ArrayBuffer,
  what: string,
): Columns {
  const columns: Record<string, ColumnArray> = {};
  const expected = Object.entries(types) as [string, ColumnConstructor<ColumnArray>][];
  for (const [name, type] of expected) {
    const column = layout.find((candidate) => candidate.name === name);
    if (column?.elementBytes !== type.BYTES_PER_ELEMENT || column.perRow !== (elementsPerRow[name] ?? 1))
      throw new Error(
        `the engine addon lays out ${what}.${name} differently (${JSON.stringify(column)}); run \`make native typescript\``,
      );
    columns[name] = new type(memory, column.offset, column.elements);
  }
  if (layout.length !== expected.length)
    throw new Error(
      `the engine addon has other ${what} than native/engine.ts; run \`make native typescript\``,
    );
  return columns as Columns;
}

/** All that the decision sees of the batch. */
export interface BatchView {
  readonly rows: Rows;
  readonly verdicts: Verdicts;
  readonly completions: Completions;
  readonly text: Buffer;
  readonly scratch: Buffer;
  /** [0]: 1 while a decision runs. [1]: bytes of text in use. */
  readonly control: Uint32Array;
}

export function viewBatch(layout: BatchLayout, memory: ArrayBuffer): BatchView {
  return {
    rows: viewColumns(rowColumns, layout.rows, memory, 'rows'),
    verdicts: viewColumns(verdictColumns, layout.verdicts, memory, 'verdicts'),
    completions: viewColumns(completionColumns, layout.completions, memory, 'completions'),
    text: Buffer.from(memory, layout.text.offset, layout.text.bytes),
    scratch: Buffer.from(memory, layout.scratch.offset, layout.scratch.bytes),
    control: new Uint32Array(memory, layout.control.offset, layout.control.bytes / 4),
  };
}
