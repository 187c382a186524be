/** W3C Trace Context, level 1 (https://www.w3.org/TR/trace-context/): `traceparent` is read strictly and started. */

/** Fills the array with random numbers, as crypto.getRandomValues does. */
export type FillRandom = (words: Uint32Array) => void;

/** Words of the ids of one started trace: four of the trace id, two of the parent id. */
export const traceIdWords = 6;

const hexDigits = Uint8Array.from(Buffer.from('0123456789abcdef', 'latin1'));
/**
 * What stands around the ids. Flags 01 (sampled): an application that follows its parent's choice then decides as it
 * would without a mesh; 00 would switch its tracing off.
 */
const template = Uint8Array.from(
  Buffer.from(`traceparent: 00-${'0'.repeat(32)}-${'0'.repeat(16)}-01\r\n`, 'latin1'),
);
const traceIdAt = 'traceparent: 00-'.length;
const parentIdAt = traceIdAt + 32 + 1;

/** Length of the header line that {@link writeTraceLine} writes, CRLF included. */
export const traceLineBytes = template.length;

const version00 = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;
/** A later version may append fields behind another dash (section 4.3). */
const laterVersion = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?$/;

/** The trace id of a valid traceparent, or an empty string. Ids of zeros only are invalid (section 3.2.2.3). */
export function readTraceId(traceparent: string): string {
  const match = (traceparent.startsWith('00') ? version00 : laterVersion).exec(traceparent);
  if (match === null) return '';
  const traceId = match[1] ?? '';
  const parentId = match[2] ?? '';
  return /^0+$/.test(traceId) || /^0+$/.test(parentId) ? '' : traceId;
}

/** Fills `ids` with random ones; neither id is all zero. */
export function startTrace(ids: Uint32Array, fillRandom: FillRandom): void {
  fillRandom(ids);
  ids[0] = (ids[0] as number) | 1;
  ids[4] = (ids[4] as number) | 1;
}

/** Writes the header line of a started trace at `offset` of `target`; {@link traceLineBytes} long. */
export function writeTraceLine(ids: Uint32Array, target: Uint8Array, offset: number): void {
  // A loop: TypedArray.set costs more than these few bytes.
  for (let at = 0; at < template.length; at += 1) target[offset + at] = template[at] as number;
  for (let word = 0; word < 4; word += 1)
    writeHex(ids[word] as number, target, offset + traceIdAt + word * 8);
  writeHex(ids[4] as number, target, offset + parentIdAt);
  writeHex(ids[5] as number, target, offset + parentIdAt + 8);
}

function writeHex(word: number, target: Uint8Array, offset: number): void {
  for (let digit = 0; digit < 8; digit += 1) {
    target[offset + digit] = hexDigits[(word >>> (28 - digit * 4)) & 15] as number;
  }
}

/** The trace id of a line that {@link writeTraceLine} wrote at `offset`. */
export function traceIdOfLine(target: Buffer, offset: number): string {
  return target.toString('latin1', offset + traceIdAt, offset + traceIdAt + 32);
}
