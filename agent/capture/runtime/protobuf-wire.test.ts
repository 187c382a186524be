import {
  bytesOf,
  numberOf,
  readFields,
  textMapOf,
  textOf,
  writeBytes,
  writeNumber,
} from './protobuf-wire.js';

test('what is written is read: texts, numbers of every length, nested messages', () => {
  const message = Buffer.concat([
    writeBytes(1, 'shop'),
    writeNumber(2, 300),
    writeNumber(3, 2 ** 40),
    writeBytes(5, Buffer.concat([writeBytes(1, 'app'), writeBytes(2, 'cart')])),
    writeBytes(5, Buffer.concat([writeBytes(1, 'tier'), writeBytes(2, '')])),
  ]);
  const fields = readFields(message);
  expect([textOf(fields, 1), numberOf(fields, 2), numberOf(fields, 3)]).toEqual(['shop', 300, 2 ** 40]);
  expect(textMapOf(fields, 5)).toEqual({ app: 'cart', tier: '' });
  expect([textOf(fields, 9), numberOf(fields, 9), bytesOf(fields, 9)]).toEqual(['', 0, []]);
});

test('known bytes of the specification: field 1 = 150, field 2 = "testing"', () => {
  const fields = readFields(Buffer.from('08960112 0774657374696e67'.replace(' ', ''), 'hex'));
  expect([numberOf(fields, 1), textOf(fields, 2)]).toEqual([150, 'testing']);
});

test('fixed-width fields are passed over', () => {
  const fields = readFields(Buffer.from('0d01020304110102030405060708' + '1801', 'hex'));
  expect(fields).toEqual([{ number: 3, value: 1n }]);
});

test.each([
  ['a length beyond the end', '0a05616263'],
  ['a number that does not end', '08ffffffffffffffffffffff01'],
  ['a number that is cut off', '08ff'],
  ['a group', '0b0c'],
  ['field 0', '0001'],
])('%s is refused', (_what, hex) => {
  expect(() => readFields(Buffer.from(hex, 'hex'))).toThrow(/field|number/);
});
