/** Structs of bpf/abi.h as bytes, in this machine's byte order (little-endian: the object is built for it). */
import type { FieldLayout } from './abi-layout.js';

export interface StructLayout {
  readonly size: number;
  readonly fields: Readonly<Record<string, FieldLayout>>;
}

/** A number for a field of one element, a list or bytes for more; 64-bit fields take bigint too. */
export type FieldValue = number | bigint | readonly number[] | Uint8Array;

/** Fields that are not given stay zero. Throws RangeError where a value does not fit its field. */
export function encodeStruct<Layout extends StructLayout>(
  layout: Layout,
  values: Readonly<Partial<Record<keyof Layout['fields'] & string, FieldValue>>>,
): Buffer {
  const bytes = Buffer.alloc(layout.size);
  for (const [name, value] of Object.entries(values) as [string, FieldValue][]) {
    const field = layout.fields[name] as FieldLayout;
    const elements = typeof value === 'number' || typeof value === 'bigint' ? [value] : [...value];
    if (elements.length > field.count)
      throw new RangeError(`${name} has ${elements.length} of ${field.count} elements`);
    for (const [index, element] of elements.entries()) {
      writeElement(bytes, field.offset + index * field.size, field.size, element);
    }
  }
  return bytes;
}

/** One field of one element. */
export function readField(bytes: Buffer, field: FieldLayout): number {
  return field.size === 8
    ? Number(bytes.readBigUInt64LE(field.offset))
    : bytes.readUIntLE(field.offset, field.size);
}

/** A 64-bit key or value on its own. */
export function encodeU64(value: bigint | number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

export function encodeU32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function writeElement(
  bytes: Buffer,
  offset: number,
  size: FieldLayout['size'],
  value: number | bigint,
): void {
  if (size === 8) bytes.writeBigUInt64LE(BigInt(value), offset);
  else bytes.writeUIntLE(Number(value), offset, size);
}
