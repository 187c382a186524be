/** For tests: an engine on loopback, its sockets, and decisions given as plain functions. */

import { SocketMaker } from './descriptors-under-test.js';
import { Action, type Engine, type EngineLimits, RowKind } from './engine.js';
import type { EngineAddon } from './load-engine.js';

/** One completion, copied out of its columns. */
export interface Ended {
  readonly kind: number;
  readonly status: number;
  readonly grpcStatus: number;
  readonly reason: number;
  readonly requestTag: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly reused: number;
  readonly totalUs: number;
}

/** The parts of an endpoint that plaintext ones share. */
export const plaintext = { transport: 'plaintext', identity: '' } as const;

export class EngineUnderTest {
  readonly engine: Engine;
  readonly ended: Ended[] = [];
  readonly errors: unknown[] = [];
  /** Decides a row; by default connections become http1 and requests go to endpoint 1. */
  decide: (row: number) => void = (row) => this.forward(row);
  port = 0;
  readonly #maker: SocketMaker;
  #onEnded: (() => void)[] = [];

  static async start(addon: EngineAddon, limits: EngineLimits = {}): Promise<EngineUnderTest> {
    const maker = await SocketMaker.start(addon);
    const test = new EngineUnderTest(addon, maker, limits);
    test.port = await test.listen(1);
    return test;
  }

  private constructor(addon: EngineAddon, maker: SocketMaker, limits: EngineLimits) {
    this.#maker = maker;
    this.engine = addon.createEngine({
      notesMap: -1,
      limits,
      decide: (rows, completions) => {
        for (let i = 0; i < completions; i++) this.ended.push(this.#completion(i));
        for (let row = 0; row < rows; row++) this.decide(row);
        if (completions > 0) for (const each of this.#onEnded.splice(0)) each();
      },
      onDecideError: (error) => this.errors.push(error),
      onStockLow: (workload, family, missing) => {
        maker
          .sockets(family, missing)
          .then(({ descriptors }) => this.engine.addSockets(workload, family, descriptors))
          .catch((error) => this.errors.push(error));
      },
    });
    this.engine.addWorkload(1, { connections: 0, pendingRequests: 0, bufferedBytes: 0, cpuShare: 0 });
  }

  async listen(workload: number, direction = 0): Promise<number> {
    const { descriptor, port } = await this.#maker.listener();
    this.engine.addListener(workload, direction, descriptor);
    return port;
  }

  serve(port: number): void {
    this.engine.setEndpoint(1, { address: '127.0.0.1', port, destination: 1, generation: 0, ...plaintext });
  }

  forward(row: number): void {
    const { rows, verdicts } = this.engine;
    verdicts.action[row] = rows.kind[row] === RowKind.connection ? Action.http : Action.forward;
    verdicts.endpoint[row] = 1;
    verdicts.tag[row] = 9;
  }

  tunnel(row: number): void {
    this.engine.verdicts.action[row] = Action.tunnel;
    this.engine.verdicts.endpoint[row] = 1;
  }

  path(row: number): string {
    const { rows } = this.engine;
    return this.engine.readText(rows.pathOffset[row] as number, rows.pathLength[row] as number);
  }

  /** Resolves with the first completion that `match` accepts, past or to come. */
  async untilEnded(match: (ended: Ended) => boolean): Promise<Ended> {
    for (;;) {
      const found = this.ended.find(match);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#onEnded.push(resolve));
    }
  }

  close(): void {
    this.engine.close();
    this.#maker.close();
  }

  #completion(i: number): Ended {
    const { completions } = this.engine;
    return {
      kind: completions.kind[i] as number,
      status: completions.status[i] as number,
      grpcStatus: completions.grpcStatus[i] as number,
      reason: completions.reason[i] as number,
      requestTag: completions.requestTag[i] as number,
      bytesReceived: completions.bytesReceived[i] as number,
      bytesSent: completions.bytesSent[i] as number,
      reused: completions.reused[i] as number,
      totalUs: completions.totalUs[i] as number,
    };
  }
}
