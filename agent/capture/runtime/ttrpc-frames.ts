/**
 * How a container runtime and its NRI plugin talk: two logical connections over one Unix socket (NRI's multiplexer: four
 * bytes of connection, four of length, big-endian), in each of them ttrpc messages (four bytes of length, four of stream,
 * one of type, one of flags; containerd/ttrpc PROTOCOL.md). On one connection the runtime calls the plugin, on the other
 * the plugin calls the runtime.
 */
import { bytesOf, numberOf, readFields, textOf, writeBytes, writeNumber } from './protobuf-wire.js';

/** NRI's numbers of the logical connections. */
export const connections = { plugin: 1, runtime: 2 } as const;

const frameHeader = 8;
const messageHeader = 10;
const maxMessage = 4 * 1024 * 1024;
/** The runtime reads a frame into a buffer of this size, and ends the connection where it does not fit. */
const maxFramePayload = 4096;

const types = { request: 1, response: 2 } as const;

/** A call, or the answer to one. */
export type RpcMessage =
  | {
      readonly type: 'request';
      readonly connection: number;
      readonly stream: number;
      readonly method: string;
      readonly payload: Buffer;
    }
  | {
      readonly type: 'response';
      readonly connection: number;
      readonly stream: number;
      /** A code of gRPC; 0 is good. */
      readonly code: number;
      readonly message: string;
      readonly payload: Buffer;
    };

/** Takes bytes as they come and gives whole messages. */
export class RpcReader {
  #trunk: Buffer = Buffer.alloc(0);
  readonly #parts = new Map<number, Buffer>();

  /** Throws Error where the peer does not speak the protocol. */
  push(bytes: Buffer): RpcMessage[] {
    this.#trunk = Buffer.concat([this.#trunk, bytes]);
    const messages: RpcMessage[] = [];
    for (;;) {
      if (this.#trunk.length < frameHeader) return messages;
      const connection = this.#trunk.readUInt32BE(0);
      const length = this.#trunk.readUInt32BE(4);
      if (length > maxMessage + messageHeader) throw new Error(`a frame of ${length} bytes is too long`);
      if (this.#trunk.length < frameHeader + length) return messages;
      const payload = this.#trunk.subarray(frameHeader, frameHeader + length);
      this.#trunk = this.#trunk.subarray(frameHeader + length);
      messages.push(...this.#pushPart(connection, payload));
    }
  }

  #pushPart(connection: number, bytes: Buffer): RpcMessage[] {
    if (connection !== connections.plugin && connection !== connections.runtime) {
      throw new Error(`there is no connection ${connection}`);
    }
    let part = Buffer.concat([this.#parts.get(connection) ?? Buffer.alloc(0), bytes]);
    const messages: RpcMessage[] = [];
    while (part.length >= messageHeader) {
      const length = part.readUInt32BE(0);
      if (length > maxMessage) throw new Error(`a message of ${length} bytes is too long`);
      if (part.length < messageHeader + length) break;
      const body = part.subarray(messageHeader, messageHeader + length);
      messages.push(readMessage(connection, part.readUInt32BE(4), part[8] as number, body));
      part = part.subarray(messageHeader + length);
    }
    this.#parts.set(connection, part);
    return messages;
  }
}

/** A call of the plugin. */
export function encodeRequest(stream: number, service: string, method: string, payload: Buffer): Buffer {
  const body = Buffer.concat([writeBytes(1, service), writeBytes(2, method), writeBytes(3, payload)]);
  return encodeMessage(connections.runtime, stream, types.request, body);
}

/** The plugin's answer to a call; `failure` is told to whoever asked the runtime. */
export function encodeResponse(stream: number, payload: Buffer, failure?: RpcFailure): Buffer {
  const status =
    failure === undefined
      ? Buffer.alloc(0)
      : writeBytes(1, Buffer.concat([writeNumber(1, failure.code), writeBytes(2, failure.message)]));
  const body = Buffer.concat([status, writeBytes(2, payload)]);
  return encodeMessage(connections.plugin, stream, types.response, body);
}

/** gRPC's code and a sentence. */
export interface RpcFailure {
  readonly code: number;
  readonly message: string;
}

function encodeMessage(connection: number, stream: number, type: number, body: Buffer): Buffer {
  const header = Buffer.alloc(messageHeader);
  header.writeUInt32BE(body.length, 0);
  header.writeUInt32BE(stream, 4);
  header[8] = type;
  const message = Buffer.concat([header, body]);
  const frames: Buffer[] = [];
  for (let at = 0; at < message.length; at += maxFramePayload) {
    const payload = message.subarray(at, at + maxFramePayload);
    const frame = Buffer.alloc(frameHeader);
    frame.writeUInt32BE(connection, 0);
    frame.writeUInt32BE(payload.length, 4);
    frames.push(frame, payload);
  }
  return Buffer.concat(frames);
}

function readMessage(connection: number, stream: number, type: number, body: Buffer): RpcMessage {
  const fields = readFields(body);
  if (type === types.request) {
    const payload = bytesOf(fields, 3).at(-1) ?? Buffer.alloc(0);
    return { type: 'request', connection, stream, method: textOf(fields, 2), payload };
  }
  if (type === types.response) {
    const status = readFields(bytesOf(fields, 1).at(-1) ?? Buffer.alloc(0));
    const payload = bytesOf(fields, 2).at(-1) ?? Buffer.alloc(0);
    const [code, message] = [numberOf(status, 1), textOf(status, 2)];
    return { type: 'response', connection, stream, code, message, payload };
  }
  throw new Error(`a message is of unknown type ${type}`);
}
