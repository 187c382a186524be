/** gRPC in pods: the service weft.test.Echo and its clients, on grpc-js and on grpcio. */
import { join } from 'node:path';
import type { LabProcess } from './lab-process.js';
import type { Pod } from './pod.js';
import { fixture, python } from './services.js';

export type GrpcLibrary = 'grpc-js' | 'grpcio';

const program = (name: string) => join(import.meta.dirname, '../programs', `${name}.js`);

/** Starts the server under the pod's name; its methods are told in programs/grpc-server.ts. */
export async function startGrpcServer(pod: Pod, port: number, library: GrpcLibrary): Promise<LabProcess> {
  const argv =
    library === 'grpc-js'
      ? [process.execPath, program('grpc-server'), String(port), pod.name]
      : [python, '-u', fixture('grpc-server.py'), String(port), pod.name];
  const server = pod.spawn(argv, { name: `${library} server` });
  await pod.awaitPort(server, port);
  return server;
}

/** What programs/grpc-client.ts is asked. */
export interface GrpcCommand {
  readonly op: 'say' | 'count' | 'sum' | 'chat';
  readonly service?: string;
  readonly method?: string;
  readonly text?: string;
  readonly n?: number;
  readonly bytes?: number;
  readonly parallel?: number;
  /** chat: each message once the one before is back. */
  readonly lockstep?: boolean;
  readonly deadlineMs?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** How one call ended. */
export interface GrpcOutcome {
  readonly code: string;
  readonly details: string;
  readonly text: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly trailers: Readonly<Record<string, unknown>>;
}

/** What it answers; which parts are there follows from the op. */
export interface GrpcResult extends GrpcOutcome {
  /** Calls by the name of their code, and by the server that answered. */
  readonly codes: Readonly<Record<string, number>>;
  readonly servers: Readonly<Record<string, number>>;
  /** One of the calls that did not end with OK. */
  readonly failure: GrpcOutcome | null | undefined;
  readonly messages: number;
  readonly bytes: number;
  readonly equal: boolean;
  readonly server: string;
}

/** A client with one channel, and so one connection to its target, for as long as it lives. */
export class GrpcClient {
  readonly process: LabProcess;
  private commands = 0;

  constructor(pod: Pod, target: string, library: GrpcLibrary) {
    const argv =
      library === 'grpc-js'
        ? [process.execPath, program('grpc-client'), target]
        : [python, '-u', fixture('grpc-client.py'), target];
    this.process = pod.spawn(argv, { name: `${library} client` });
  }

  async ask(command: GrpcCommand, deadlineMs = 20_000): Promise<GrpcResult> {
    this.commands += 1;
    const id = this.commands;
    this.process.write(`${JSON.stringify({ id, ...command })}\n`);
    const [, answer = ''] = await this.process.awaitOutput(new RegExp(`^#${id} (.*)$`, 'm'), deadlineMs);
    return JSON.parse(answer) as GrpcResult;
  }

  async close(): Promise<void> {
    this.process.closeInput();
    await this.process.stop();
  }
}
