import { readFields, textOf, writeBytes } from './protobuf-wire.js';
import { encodeRequest, encodeResponse, RpcReader } from './ttrpc-frames.js';

test('a call arrives whole, byte by byte too', () => {
  const bytes = encodeRequest(7, 'a.Service', 'Call', writeBytes(1, 'x'));
  const reader = new RpcReader();
  const messages = [...bytes].flatMap((byte) => reader.push(Buffer.from([byte])));
  expect(messages).toHaveLength(1);
  expect(messages[0]).toMatchObject({ type: 'request', connection: 2, stream: 7, method: 'Call' });
  expect(textOf(readFields(messages[0]?.payload ?? Buffer.alloc(0)), 1)).toBe('x');
});

test('a message longer than a frame is sent in frames that the runtime can read, and read together', () => {
  const payload = writeBytes(1, 'y'.repeat(10_000));
  const bytes = encodeRequest(1, 's', 'm', payload);
  for (let at = 0; at < bytes.length; at += 8 + bytes.readUInt32BE(at + 4)) {
    expect(bytes.readUInt32BE(at + 4)).toBeLessThanOrEqual(4096);
  }
  expect(new RpcReader().push(bytes)).toMatchObject([{ type: 'request', payload }]);
});

test('an answer carries its failure', () => {
  const failed = new RpcReader().push(encodeResponse(3, Buffer.alloc(0), { code: 13, message: 'why' }));
  expect(failed).toMatchObject([{ type: 'response', connection: 1, stream: 3, code: 13, message: 'why' }]);
  expect(new RpcReader().push(encodeResponse(3, Buffer.from('ok')))).toMatchObject([{ code: 0 }]);
});

test.each([
  ['an unknown connection', '0000000900000000'],
  ['a frame that is too long', '0000000100500000'],
  ['a message that is too long', '000000010000000a' + '00500000' + '00000001' + '0100'],
  ['a message of unknown type', '000000010000000a' + '00000000' + '00000001' + '0900'],
])('%s is refused', (_what, hex) => {
  expect(() => new RpcReader().push(Buffer.from(hex, 'hex'))).toThrow();
});
