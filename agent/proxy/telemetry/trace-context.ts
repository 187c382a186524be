/** W3C Trace Context, level 1 (https://www.w3.org/TR/trace-context/): `traceparent` is read strictly and started. */

/** Fills the array with random bytes, as crypto.getRandomValues does. */
export type FillRandom = (bytes: Uint8Array) => void;

const hexDigits = Buffer.from('0123456789abcdef', 'latin1');
const linePrefix = Buffer.from('traceparent: 00-', 'latin1');
/**
 * Flags 01 (sampled): an application that follows its parent's choice then decides as it would without a mesh;
 * 00 would switch its tracing off.
 */
const lineSuffix = Buffer.from('-01\r\n', 'latin1');

/** Length of the header line that {@link TraceStarter.writeLine} writes, CRLF included. */
export const traceLineBytes = linePrefix.length + 32 + 1 + 16 + lineSuffix.length;

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

/** Starts traces: random ids come in blocks, so that a request costs no system call. */
export class TraceStarter {
  readonly #fillRandom: FillRandom;
  readonly #random = new Uint8Array(24 * 256);
  #used = this.#random.length;

  constructor(fillRandom: FillRandom) {
    this.#fillRandom = fillRandom;
  }

  /** Writes a `traceparent` header line with new ids at `offset` of `target`; {@link traceLineBytes} long. */
  writeLine(target: Uint8Array, offset: number): void {
    if (this.#used === this.#random.length) {
      this.#fillRandom(this.#random);
      this.#used = 0;
    }
    let at = offset;
    target.set(linePrefix, at);
    at = this.#writeHex(target, at + linePrefix.length, 16);
    target[at] = 0x2d;
    at = this.#writeHex(target, at + 1, 8);
    target.set(lineSuffix, at);
  }

  /** Never all zeros: the first byte's lowest bit is set. */
  #writeHex(target: Uint8Array, offset: number, count: number): number {
    let at = offset;
    for (let index = 0; index < count; index += 1) {
      const byte = (this.#random[this.#used + index] ?? 0) | (index === 0 ? 1 : 0);
      target[at] = hexDigits[byte >> 4] ?? 0;
      target[at + 1] = hexDigits[byte & 15] ?? 0;
      at += 2;
    }
    this.#used += count;
    return at;
  }
}

/** The trace id inside a line that {@link TraceStarter.writeLine} wrote at `offset`. */
export function traceIdOfLine(target: Buffer, offset: number): string {
  const start = offset + linePrefix.length;
  return target.toString('latin1', start, start + 32);
}
