/**
 * The service weft.test.Echo on grpc-js, as fixtures/grpc-server.py has it on grpcio. Messages are bytes. Every call's
 * headers begin with x-server, the server's name.
 *
 *   Say    unary: JSON of who answers, what came, and the request's metadata
 *   Fail   unary: ends as the JSON {code, message} asks, with a binary detail in the trailers
 *   Hang   unary: no answer; prints "cancelled" once the caller is gone
 *   Count  server stream: as many messages of as many bytes as the JSON {n, bytes} asks
 *   Sum    client stream: JSON of how much came
 *   Chat   both ways: every message back
 *
 * SIGTERM: no new calls (GOAWAY), ends once those that run have ended. usage: grpc-server.js PORT NAME
 */
import {
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  type MethodDefinition,
  Server,
  ServerCredentials,
} from '@grpc/grpc-js';

const [port = '', name = ''] = process.argv.slice(2);
const same = (bytes: Buffer) => bytes;

function headers(): Metadata {
  const metadata = new Metadata();
  metadata.set('x-server', name);
  return metadata;
}

const say: handleUnaryCall<Buffer, Buffer> = (call, answer) => {
  call.sendMetadata(headers());
  const metadata = call.metadata.getMap();
  answer(null, Buffer.from(JSON.stringify({ server: name, text: call.request.toString(), metadata })));
};

const fail: handleUnaryCall<Buffer, Buffer> = (call, answer) => {
  const { code, message } = JSON.parse(call.request.toString()) as { code: number; message: string };
  const metadata = new Metadata();
  metadata.set('x-detail-bin', Buffer.from([0, 1, 254, 255]));
  answer({ code, details: message, metadata });
};

const hang: handleUnaryCall<Buffer, Buffer> = (call) => {
  console.log('hanging');
  call.on('cancelled', () => console.log('cancelled'));
};

const count: handleServerStreamingCall<Buffer, Buffer> = (call) => {
  const { n, bytes } = JSON.parse(call.request.toString()) as { n: number; bytes: number };
  const message = Buffer.alloc(bytes, 'w');
  call.sendMetadata(headers());
  let sent = 0;
  const send = () => {
    while (sent < n) {
      sent += 1;
      if (!call.write(message)) {
        call.once('drain', send);
        return;
      }
    }
    call.end();
  };
  send();
};

const sum: handleClientStreamingCall<Buffer, Buffer> = (call, answer) => {
  let [messages, bytes] = [0, 0];
  call.on('data', (message: Buffer) => {
    messages += 1;
    bytes += message.length;
  });
  call.on('end', () => answer(null, Buffer.from(JSON.stringify({ server: name, messages, bytes }))));
};

const chat: handleBidiStreamingCall<Buffer, Buffer> = (call) => {
  call.sendMetadata(headers());
  call.on('data', (message: Buffer) => {
    if (call.write(message)) return;
    call.pause();
    call.once('drain', () => call.resume());
  });
  call.on('end', () => call.end());
};

function method(
  path: string,
  requestStream: boolean,
  responseStream: boolean,
): MethodDefinition<Buffer, Buffer> {
  return {
    path: `/weft.test.Echo/${path}`,
    requestStream,
    responseStream,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

const server = new Server({ 'grpc.max_receive_message_length': -1 });
server.addService(
  {
    Say: method('Say', false, false),
    Fail: method('Fail', false, false),
    Hang: method('Hang', false, false),
    Count: method('Count', false, true),
    Sum: method('Sum', true, false),
    Chat: method('Chat', true, true),
  },
  { Say: say, Fail: fail, Hang: hang, Count: count, Sum: sum, Chat: chat },
);
server.bindAsync(`[::]:${port}`, ServerCredentials.createInsecure(), (error) => {
  if (error !== null) throw error;
});
process.once('SIGTERM', () => {
  console.log('draining');
  server.tryShutdown(() => process.exit(0));
});
