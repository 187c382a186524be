/**
 * Protobuf's wire format (protobuf.dev, "Encoding"), as much as the container runtime's messages need: a message is read
 * as a list of fields, and unknown ones are passed over. Nothing is loaded or generated for it in a privileged process.
 */

/** One field as it stands: a number for a varint, bytes for anything with a length. */
export interface WireField {
  readonly number: number;
  readonly value: bigint | Buffer;
}

const WireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** Throws Error where the bytes are no message. */
export function readFields(message: Buffer): WireField[] {
  const fields: WireField[] = [];
  let at = 0;
  const take = (length: number): Buffer => {
    if (length > message.length - at) throw new Error('a field goes beyond its message');
    at += length;
    return message.subarray(at - length, at);
  };
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = take(1)[0] as number;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new Error('a number is too long');
  };
  while (at < message.length) {
    const key = varint();
    const number = Number(key >> 3n);
    if (number < 1 || number > 0x1fff_ffff) throw new Error(`there is no field ${number}`);
    const type = Number(key & 7n);
    if (type === WireType.varint) fields.push({ number, value: varint() });
    else if (type === WireType.bytes) fields.push({ number, value: take(bounded(varint())) });
    else if (type === WireType.fixed32) take(4);
    else if (type === WireType.fixed64) take(8);
    else throw new Error(`field ${number} is of unknown type ${type}`);
  }
  return fields;
}

/** Text of the last field of that number; empty where there is none. */
export function textOf(fields: readonly WireField[], number: number): string {
  return bytesOf(fields, number).at(-1)?.toString('utf8') ?? '';
}

/** Number of the last field of that number; 0 where there is none. */
export function numberOf(fields: readonly WireField[], number: number): number {
  const found = fields.findLast((field) => field.number === number && typeof field.value === 'bigint');
  return found === undefined ? 0 : Number(found.value);
}

/** Bytes of all fields of that number: texts, messages, entries of a map. */
export function bytesOf(fields: readonly WireField[], number: number): Buffer[] {
  return fields.flatMap((field) =>
    field.number === number && typeof field.value !== 'bigint' ? [field.value] : [],
  );
}

/** Entries of a map<string, string>. */
export function textMapOf(fields: readonly WireField[], number: number): Record<string, string> {
  return Object.fromEntries(
    bytesOf(fields, number).map((entry) => {
      const parts = readFields(entry);
      return [textOf(parts, 1), textOf(parts, 2)];
    }),
  );
}

/** A field of text, bytes or a message. */
export function writeBytes(number: number, value: string | Buffer): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([writeVarint((number << 3) | WireType.bytes), writeVarint(bytes.length), bytes]);
}

/** A field of a whole number that is not negative. */
export function writeNumber(number: number, value: number): Buffer {
  return Buffer.concat([writeVarint((number << 3) | WireType.varint), writeVarint(value)]);
}

function writeVarint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  while (left >= 0x80) {
    bytes.push((left % 0x80) | 0x80);
    left = Math.floor(left / 0x80);
  }
  return Buffer.from([...bytes, left]);
}

function bounded(length: bigint): number {
  if (length > 0x7fff_ffffn) throw new Error('a field is too long');
  return Number(length);
}
