/** The batch's memory as typed arrays, after comparing the addon's layout and words with native/engine.ts. */

import type { Completions, Rows, Verdicts } from './engine.js';
import * as contract from './engine.js';

type ColumnArray = Uint8Array | Uint16Array | Int16Array | Uint32Array | Float64Array;

/** Makes a column: its name, its array's type, and how many elements a row has. */
export type MakeColumn = <Column extends ColumnArray>(
  name: string,
  type: { new (memory: ArrayBuffer, offset: number, length: number): Column; BYTES_PER_ELEMENT: number },
  perRow: number,
) => Column;

// Literals, and not loops over names: V8 makes a hash table of an object that grows by many computed names, and every
// decision reads some fifty of these.

export function makeRows(make: MakeColumn): Rows {
  const [u8, u16, u32, f64] = makersOf(make);
  return {
    kind: u8('kind'),
    id: u32('id'),
    generation: u32('generation'),
    workload: u32('workload'),
    direction: u8('direction'),
    connectionTag: u32('connectionTag'),
    requestTag: u32('requestTag'),
    flags: u16('flags'),
    method: u8('method'),
    attempt: u8('attempt'),
    reason: u16('reason'),
    status: u16('status'),
    destinationIp: u8('destinationIp', 16),
    destinationPort: u16('destinationPort'),
    sourceIp: u8('sourceIp', 16),
    sourcePort: u16('sourcePort'),
    methodOffset: u32('methodOffset'),
    methodLength: u16('methodLength'),
    pathOffset: u32('pathOffset'),
    pathLength: u32('pathLength'),
    hostOffset: u32('hostOffset'),
    hostLength: u16('hostLength'),
    bodyBytes: f64('bodyBytes'),
    headerOffset: u32('headerOffset', contract.maxWantedHeaders),
    headerLength: u32('headerLength', contract.maxWantedHeaders),
    peerOffset: u32('peerOffset'),
    peerLength: u16('peerLength'),
    alpn: u8('alpn'),
    protocol: u8('protocol'),
  };
}

export function makeVerdicts(make: MakeColumn): Verdicts {
  const [u8, u16, u32] = makersOf(make);
  return {
    action: u8('action'),
    flags: u8('flags'),
    reason: u16('reason'),
    endpoint: u32('endpoint'),
    tag: u32('tag'),
    requestEdit: u16('requestEdit'),
    responseEdit: u16('responseEdit'),
    reply: u16('reply'),
    retryStatuses: u16('retryStatuses'),
    deadlineMs: u32('deadlineMs'),
    backendTimeoutMs: u32('backendTimeoutMs'),
    delayMs: u32('delayMs'),
    bufferBytes: u32('bufferBytes'),
    pathOffset: u32('pathOffset'),
    pathLength: u32('pathLength'),
    hostOffset: u32('hostOffset'),
    hostLength: u32('hostLength'),
    extraOffset: u32('extraOffset'),
    extraLength: u32('extraLength'),
    bodyOffset: u32('bodyOffset'),
    bodyLength: u32('bodyLength'),
  };
}

export function makeCompletions(make: MakeColumn): Completions {
  const [u8, u16, u32, f64] = makersOf(make);
  return {
    kind: u8('kind'),
    workload: u32('workload'),
    direction: u8('direction'),
    connectionTag: u32('connectionTag'),
    requestTag: u32('requestTag'),
    endpoint: u32('endpoint'),
    status: u16('status'),
    grpcStatus: make('grpcStatus', Int16Array, 1),
    reason: u16('reason'),
    attempt: u8('attempt'),
    reused: u8('reused'),
    bytesReceived: f64('bytesReceived'),
    bytesSent: f64('bytesSent'),
    decideUs: f64('decideUs'),
    connectUs: f64('connectUs'),
    firstByteUs: f64('firstByteUs'),
    totalUs: f64('totalUs'),
  };
}

function makersOf(make: MakeColumn) {
  return [
    (name: string, perRow = 1) => make(name, Uint8Array, perRow),
    (name: string, perRow = 1) => make(name, Uint16Array, perRow),
    (name: string, perRow = 1) => make(name, Uint32Array, perRow),
    (name: string, perRow = 1) => make(name, Float64Array, perRow),
  ] as const;
}

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

/** Columns in the engine's memory; `done` throws where the addon has some that were not asked for. */
function viewColumns(layout: readonly ColumnLayout[], memory: ArrayBuffer, what: string) {
  let viewed = 0;
  const make: MakeColumn = (name, type, perRow) => {
    const column = layout.find((candidate) => candidate.name === name);
    if (column?.elementBytes !== type.BYTES_PER_ELEMENT || column.perRow !== perRow)
      throw new Error(
        `the engine addon lays out ${what}.${name} differently (${JSON.stringify(column)}); run \`make native typescript\``,
      );
    viewed += 1;
    return new type(memory, column.offset, column.elements);
  };
  const done = <Columns>(columns: Columns): Columns => {
    if (layout.length === viewed) return columns;
    throw new Error(
      `the engine addon has other ${what} than native/engine.ts; run \`make native typescript\``,
    );
  };
  return { make, done };
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
  const rows = viewColumns(layout.rows, memory, 'rows');
  const verdicts = viewColumns(layout.verdicts, memory, 'verdicts');
  const completions = viewColumns(layout.completions, memory, 'completions');
  return {
    rows: rows.done(makeRows(rows.make)),
    verdicts: verdicts.done(makeVerdicts(verdicts.make)),
    completions: completions.done(makeCompletions(completions.make)),
    text: Buffer.from(memory, layout.text.offset, layout.text.bytes),
    scratch: Buffer.from(memory, layout.scratch.offset, layout.scratch.bytes),
    control: new Uint32Array(memory, layout.control.offset, layout.control.bytes / 4),
  };
}
