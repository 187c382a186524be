/** Writes one row's answer into the engine's columns, and its texts into the scratch. */
import { Action, type Engine } from '../../../native/engine.js';
import { Reason } from '../../../reasons/reasons.js';
import { traceIdOfLine, traceLineBytes, writeTraceLine } from '../telemetry/trace-context.js';
import type { ConnectionRecord } from './connection-record.js';
import type { RequestRecord } from './request-record.js';

/**
 * An agent that speaks TLS does so at once, but on a busy machine its first bytes may come late: what came after the
 * waiting would be taken for plaintext. Others are waited for as long as the engine does by itself.
 */
const helloMs = 1_000;

export class VerdictWriter {
  readonly #engine: Engine;
  #row = 0;
  #scratchUsed = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The scratch is empty again: a new call began. */
  begin(): void {
    this.#scratchUsed = 0;
  }

  bind(row: number): void {
    this.#row = row;
  }

  /** What a connection's pipeline decided. */
  connection(connection: ConnectionRecord): void {
    const { verdicts } = this.#engine;
    verdicts.tag[this.#row] = connection.tag;
    verdicts.reason[this.#row] = connection.reason;
    verdicts.endpoint[this.#row] = connection.endpointId;
    verdicts.flags[this.#row] = connection.flags;
    const meshed = connection.plaintextMode !== null;
    if (connection.action === Action.sniff && meshed) verdicts.deadlineMs[this.#row] = helloMs;
    verdicts.action[this.#row] = connection.action;
  }

  park(tag: number, deadlineMs: number): void {
    const { verdicts } = this.#engine;
    verdicts.tag[this.#row] = tag;
    verdicts.deadlineMs[this.#row] = deadlineMs;
    verdicts.action[this.#row] = Action.park;
  }

  /** Forwards a request as its slots say. */
  forward(request: RequestRecord, flags: number, retryStatuses: number, delayMs: number): void {
    const { verdicts } = this.#engine;
    const row = this.#row;
    verdicts.tag[row] = request.tag;
    verdicts.flags[row] = flags;
    verdicts.endpoint[row] = request.endpointId;
    verdicts.requestEdit[row] = request.requestEdit;
    verdicts.responseEdit[row] = request.responseEdit;
    verdicts.retryStatuses[row] = retryStatuses;
    verdicts.deadlineMs[row] = request.requestTimeoutMs;
    verdicts.backendTimeoutMs[row] = request.backendTimeoutMs;
    verdicts.bufferBytes[row] = request.bufferBytes;
    verdicts.delayMs[row] = delayMs;
    verdicts.action[row] = Action.forward;
  }

  /** Answers with the refusal's own status and name; the engine knows both. */
  refuse(tag: number, reason: number): void {
    this.reply(tag, 0, reason);
  }

  reply(tag: number, reply: number, reason: number): void {
    const { verdicts } = this.#engine;
    verdicts.tag[this.#row] = tag;
    verdicts.reason[this.#row] = reason;
    verdicts.reply[this.#row] = reply;
    verdicts.action[this.#row] = Action.reply;
  }

  /** attemptFailed: the response that was held back goes to the client. */
  pass(tag: number): void {
    const { verdicts } = this.#engine;
    verdicts.tag[this.#row] = tag;
    verdicts.action[this.#row] = Action.pass;
  }

  /** Whatever was written for the row is void: it fails closed with 500. */
  fail(kindIsRequest: boolean, tag: number): void {
    this.#clear();
    if (kindIsRequest) this.refuse(tag, Reason.decide_failed);
    else {
      const { verdicts } = this.#engine;
      verdicts.tag[this.#row] = tag;
      verdicts.reason[this.#row] = Reason.decide_failed;
      verdicts.action[this.#row] = Action.reset;
    }
  }

  /** A new request target. */
  target(text: string): void {
    const { verdicts } = this.#engine;
    verdicts.pathOffset[this.#row] = this.#write(text);
    verdicts.pathLength[this.#row] = text.length;
  }

  /** A new authority. */
  host(text: string): void {
    const { verdicts } = this.#engine;
    verdicts.hostOffset[this.#row] = this.#write(text);
    verdicts.hostLength[this.#row] = text.length;
  }

  /** One further header line of the forwarded request or the local reply. One per row. */
  headerLine(name: string, value: string): void {
    const line = `${name}: ${value}`;
    if (unsafe.test(line)) throw new Error(`the header ${name} would hold a control character`);
    const { verdicts } = this.#engine;
    verdicts.extraOffset[this.#row] = this.#write(`${line}\r\n`);
    verdicts.extraLength[this.#row] = line.length + 2;
  }

  /** The header line of a trace that was started here; returns where it stands in the scratch. */
  traceLine(ids: Uint32Array): number {
    const at = this.#reserve(traceLineBytes);
    writeTraceLine(ids, this.#engine.scratch, at);
    const { verdicts } = this.#engine;
    verdicts.extraOffset[this.#row] = at;
    verdicts.extraLength[this.#row] = traceLineBytes;
    return at;
  }

  /** The trace id of a line that {@link traceLine} wrote. */
  traceIdAt(line: number): string {
    return traceIdOfLine(this.#engine.scratch, line);
  }

  #write(text: string): number {
    const at = this.#reserve(text.length);
    this.#engine.scratch.write(text, at, 'latin1');
    return at;
  }

  /** Throws where the scratch is full: the row then fails closed. */
  #reserve(bytes: number): number {
    const at = this.#scratchUsed;
    if (at + bytes > this.#engine.scratch.length) throw new RangeError('the scratch is full');
    this.#scratchUsed = at + bytes;
    return at;
  }

  #clear(): void {
    const { verdicts } = this.#engine;
    const row = this.#row;
    verdicts.flags[row] = 0;
    verdicts.endpoint[row] = 0;
    verdicts.requestEdit[row] = 0;
    verdicts.responseEdit[row] = 0;
    verdicts.retryStatuses[row] = 0;
    verdicts.deadlineMs[row] = 0;
    verdicts.backendTimeoutMs[row] = 0;
    verdicts.bufferBytes[row] = 0;
    verdicts.delayMs[row] = 0;
    verdicts.pathLength[row] = 0;
    verdicts.hostLength[row] = 0;
    verdicts.extraLength[row] = 0;
    verdicts.bodyLength[row] = 0;
  }
}

/** Control characters, and what latin1 cannot hold. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is its purpose
const unsafe = /[\u0000-\u001f\u007f]|[^\u0000-\u00ff]/;
