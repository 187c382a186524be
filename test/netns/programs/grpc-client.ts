/**
 * Calls weft.test.Echo over one channel of grpc-js, as fixtures/grpc-client.py does with grpcio. Reads one JSON command
 * per line, `{id, op, …}`, and answers each with a line `#id JSON`. Ops:
 *
 *   say   n calls, `parallel` at a time, of `method` (default Say): how many ended with which code, answered by whom
 *   count a server stream of n messages of `bytes`; sum: a client stream; chat: both ways, every message compared,
 *         with `lockstep` each sent once the one before is back
 *
 * usage: grpc-client.js TARGET
 */
import { createInterface } from 'node:readline';
import {
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  type MetadataValue,
  type ServiceError,
  type StatusObject,
  status,
} from '@grpc/grpc-js';

interface Command {
  readonly id: number;
  readonly op: 'say' | 'count' | 'sum' | 'chat';
  readonly method?: string;
  readonly service?: string;
  readonly text?: string;
  readonly n?: number;
  readonly bytes?: number;
  readonly parallel?: number;
  readonly lockstep?: boolean;
  readonly deadlineMs?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

const [target = ''] = process.argv.slice(2);
const client = new Client(target, credentials.createInsecure(), {
  'grpc.max_receive_message_length': -1,
  'grpc.service_config_disable_resolution': 1,
});
const same = (bytes: Buffer) => bytes;

function pathOf({ service = 'weft.test.Echo', method, op }: Command): string {
  const standard = { say: 'Say', count: 'Count', sum: 'Sum', chat: 'Chat' }[op];
  return `/${service}/${method ?? standard}`;
}

function requestMetadata({ metadata = {} }: Command): Metadata {
  const made = new Metadata();
  for (const [name, value] of Object.entries(metadata)) made.set(name, value);
  return made;
}

const options = ({ deadlineMs }: Command) =>
  deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };

const plain = (metadata: Metadata) =>
  Object.fromEntries(
    Object.entries(metadata.getMap()).map(([name, value]: [string, MetadataValue]) => [
      name,
      typeof value === 'string' ? value : [...value],
    ]),
  );

const codeName = (code: number) => status[code] ?? String(code);

interface Outcome {
  readonly code: string;
  readonly details: string;
  readonly text: string;
  readonly headers: object;
  readonly trailers: object;
}

function sayOnce(command: Command): Promise<Outcome> {
  return new Promise((resolve) => {
    let headers = {};
    let text = '';
    const request = Buffer.from(command.text ?? 'hello');
    const call = client.makeUnaryRequest(
      pathOf(command),
      same,
      same,
      request,
      requestMetadata(command),
      options(command),
      (error: ServiceError | null, answer?: Buffer) => {
        if (error === null) text = answer?.toString() ?? '';
      },
    );
    call.on('metadata', (metadata: Metadata) => {
      headers = plain(metadata);
    });
    call.on('status', ({ code, details, metadata }: StatusObject) =>
      // The answer's callback comes in the same turn.
      setImmediate(() =>
        resolve({ code: codeName(code), details, text, headers, trailers: plain(metadata) }),
      ),
    );
  });
}

async function say(command: Command): Promise<object> {
  const codes: Record<string, number> = {};
  const servers: Record<string, number> = {};
  let left = command.n ?? 1;
  let last: Outcome | undefined;
  let failure: Outcome | undefined;
  const work = async () => {
    while (left > 0) {
      left -= 1;
      last = await sayOnce(command);
      codes[last.code] = (codes[last.code] ?? 0) + 1;
      if (last.code !== 'OK') failure = last;
      const server = /^\{"server": ?"([^"]*)"/.exec(last.text)?.[1];
      if (server !== undefined) servers[server] = (servers[server] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: command.parallel ?? 1 }, work));
  return { ...last, codes, servers, failure };
}

function count(command: Command): Promise<object> {
  const { n = 1, bytes = 1 } = command;
  const request = Buffer.from(JSON.stringify({ n, bytes }));
  const call = client.makeServerStreamRequest(
    pathOf(command),
    same,
    same,
    request,
    requestMetadata(command),
    options(command),
  );
  const seen = { messages: 0, bytes: 0 };
  call.on('data', (message: Buffer) => {
    seen.messages += 1;
    seen.bytes += message.length;
  });
  return ending(call, () => seen);
}

function sum(command: Command): Promise<object> {
  return new Promise((resolve) => {
    const call = client.makeClientStreamRequest(
      pathOf(command),
      same,
      same,
      requestMetadata(command),
      options(command),
      (error: ServiceError | null, answer?: Buffer) =>
        resolve(
          error === null
            ? { code: 'OK', ...(JSON.parse(answer?.toString() ?? '{}') as object) }
            : { code: codeName(error.code), details: error.details },
        ),
    );
    writeAll(call, command);
  });
}

function chat(command: Command): Promise<object> {
  const call: ClientDuplexStream<Buffer, Buffer> = client.makeBidiStreamRequest(
    pathOf(command),
    same,
    same,
    requestMetadata(command),
    options(command),
  );
  const sent = message(command);
  const seen = { messages: 0, bytes: 0, equal: true };
  call.on('data', (echoed: Buffer) => {
    seen.messages += 1;
    seen.bytes += echoed.length;
    if (!echoed.equals(sent)) seen.equal = false;
    if (command.lockstep !== true) return;
    if (seen.messages === command.n) call.end();
    else call.write(sent);
  });
  if (command.lockstep === true) call.write(sent);
  else writeAll(call, command);
  return ending(call, () => seen);
}

function ending(
  call: {
    on(event: 'status', listener: (status: StatusObject) => void): unknown;
    on(event: 'error', listener: () => void): unknown;
  },
  seen: () => object,
): Promise<object> {
  return new Promise((resolve) => {
    call.on('error', () => undefined);
    call.on('status', ({ code, details }) => resolve({ code: codeName(code), details, ...seen() }));
  });
}

const message = ({ bytes = 1 }: Command) => Buffer.alloc(bytes, 'c');

/** Waits where the channel asks to. */
function writeAll(
  call: {
    write(chunk: Buffer): boolean;
    once(event: 'drain', listener: () => void): unknown;
    end(): unknown;
  },
  command: Command,
): void {
  const chunk = message(command);
  let left = command.n ?? 1;
  const send = () => {
    while (left > 0) {
      left -= 1;
      if (!call.write(chunk)) {
        call.once('drain', send);
        return;
      }
    }
    call.end();
  };
  send();
}

const ops = { say, count, sum, chat };
const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const command = JSON.parse(line) as Command;
  void ops[command.op](command).then((result) => console.log(`#${command.id} ${JSON.stringify(result)}`));
});
lines.on('close', () => process.exit(0));
