import { pod, podFlags } from './abi-layout.js';
import { encodeIp, encodeRange } from './encode-address.js';
import { encodeStruct, readField } from './encode-struct.js';

test('a struct is laid out as the kernel programs read it', () => {
  const bytes = encodeStruct(pod, {
    flags: podFlags.WEFT_POD_FAIL_OPEN,
    address4: encodeIp('10.0.0.1'),
    outboundPorts6: [1, 2, 3, 4, 5, 6, 7, 0x1234],
  });
  expect(bytes).toHaveLength(pod.size);
  expect(readField(bytes, pod.fields.flags)).toBe(podFlags.WEFT_POD_FAIL_OPEN);
  expect(bytes.subarray(8, 24).toString('hex')).toBe('00000000000000000000ffff0a000001');
  expect(bytes.readUInt16LE(pod.size - 2)).toBe(0x1234);
});

test('a value that does not fit its field is refused', () => {
  expect(() => encodeStruct(pod, { outboundPorts6: new Array(9).fill(1) })).toThrow(/9 of 8/);
  expect(() => encodeStruct(pod, { outboundPort4: 65_536 })).toThrow(
    expect.objectContaining({ name: 'RangeError' }),
  );
});

test('prefixes are counted over 128 bits', () => {
  expect(encodeRange('10.0.0.0/8').bits).toBe(104);
  expect(encodeRange('fd00::/8')).toEqual({ ip: encodeIp('fd00::'), bits: 8 });
  expect(encodeRange('0.0.0.0/0').bits).toBe(96);
});
