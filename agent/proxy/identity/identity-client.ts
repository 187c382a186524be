/** Talks to the certificate authority over gRPC. Loaded late: grpc-js is large, and traffic comes first. */
import { type Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { loadIdentityService } from '../../../proto/load-identity-service.js';
import type {
  IdentityServiceClient,
  IssueRequestMessage,
  ReceivedIssueResponse,
} from '../../../proto/messages.js';
import type { Channel, ConfigChannel } from '../control/config-channel.js';
import type { ControllerAccess } from '../control/controller-access.js';
import { channelCredentials, channelOptions } from '../control/controller-channel.js';
import type { Timers } from '../control/timers.js';
import { describeError, type ProcessLog } from '../start/process-log.js';
import { explainFailure, issueTimeoutMs } from './explain-failure.js';
import { type Issued, readIssued } from './issue-failure.js';

export interface IdentityClientParts {
  /** Ready. */
  readonly access: ControllerAccess;
  readonly node: string;
  /** Certificates are asked for over it, where there is one. */
  readonly channel: ConfigChannel;
  readonly timers: Timers;
  /** 0 to 1. */
  readonly random: () => number;
  readonly log: ProcessLog;
  /** The roots to trust, DER, and the controller's clock (0: not told): at first, and on every change. */
  readonly onBundle: (roots: readonly Uint8Array[], nowMs: number) => void;
}

const firstBackoffMs = 200;
const maxBackoffMs = 5_000;

export class IdentityClient {
  readonly #parts: IdentityClientParts;
  #client: IdentityServiceClient & Client;
  /** Ends the stream of bundles without a word. */
  #unwatch: (() => void) | undefined;
  #failures = 0;
  #closed = false;

  constructor(parts: IdentityClientParts) {
    this.#parts = parts;
    this.#client = this.#open();
    parts.access.onReplaced(() => this.#reopen());
  }

  #open(): IdentityServiceClient & Client {
    const { access } = this.#parts;
    const { Client } = loadIdentityService();
    return new Client(access.address, channelCredentials(access.tls()), {
      ...channelOptions,
      // The manager waits between its tries; a channel's own backoff must not add minutes to that.
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1000,
    });
  }

  /** What is under way on the channel before ends by itself. */
  #reopen(): void {
    if (this.#closed) return;
    const before = this.#client;
    this.#client = this.#open();
    if (this.#unwatch !== undefined) {
      this.#unwatch();
      this.watch();
    }
    this.#parts.timers.after(issueTimeoutMs, () => before.close());
  }

  /** Rejects with IssueFailure. */
  async issue(workloadUid: string, csr: Uint8Array): Promise<Issued> {
    const { node, channel } = this.#parts;
    const request = { node, workloadUid, csr: Buffer.from(csr) };
    const { current } = channel;
    if (current === undefined) return issueBy(this.#client, request);
    try {
      return await issueBy(clientOver(current), request);
    } catch (error) {
      if (channel.current === current) throw error;
      return issueBy(this.#client, request); // the channel has ended meanwhile, and the call with it
    }
  }

  /** Follows the bundle until {@link close}. */
  watch(): void {
    const { node, timers, random, log, onBundle } = this.#parts;
    const stream = this.#client.watchBundle({ node });
    let open = true;
    this.#unwatch = () => {
      open = false;
      stream.cancel();
    };
    const end = (error: Error | undefined) => {
      if (!open || this.#closed) return;
      open = false;
      if (this.#failures === 0) {
        log('warn', 'the certificate authority is away; the last trust bundle stays in force', {
          error: describeError(error ?? 'the stream ended'),
        });
      }
      const delayMs = Math.min(maxBackoffMs, firstBackoffMs * 2 ** Math.min(this.#failures, 10));
      this.#failures += 1;
      timers.after(delayMs * (0.5 + 0.5 * random()), () => {
        if (!this.#closed) this.watch();
      });
    };
    stream.on('data', ({ roots, nowMs }) => {
      if (!open) return;
      this.#failures = 0;
      onBundle(roots, nowMs);
    });
    stream.on('error', end);
    stream.on('end', () => end(undefined));
  }

  close(): void {
    this.#closed = true;
    this.#client.close();
  }
}

function clientOver(channelOverride: Channel): IdentityServiceClient {
  const { Client } = loadIdentityService();
  return new Client('', credentials.createInsecure(), { channelOverride });
}

function issueBy(client: IdentityServiceClient, request: IssueRequestMessage): Promise<Issued> {
  return new Promise((resolve, reject) => {
    const deadline = Date.now() + issueTimeoutMs;
    client.issue(request, { deadline }, (error: ServiceError | null, answer?: ReceivedIssueResponse) => {
      if (error !== null) reject(explainFailure(error));
      else resolve(readIssued(answer));
    });
  });
}
