/** Talks to the certificate authority over gRPC. Loaded late: grpc-js is large, and traffic comes first. */
import { type Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { loadIdentityService, reasonTrailer } from '../../../proto/load-identity-service.js';
import type { IdentityServiceClient, ReceivedIssueResponse } from '../../../proto/messages.js';
import type { Timers } from '../control/timers.js';
import { describeError, type ProcessLog } from '../start/process-log.js';
import { type Issued, IssueFailure } from './issue-failure.js';

export interface IdentityClientParts {
  /** As grpc-js takes it. */
  readonly address: string;
  readonly node: string;
  readonly timers: Timers;
  /** 0 to 1. */
  readonly random: () => number;
  readonly log: ProcessLog;
  /** The roots to trust, DER: at first, and on every change. */
  readonly onBundle: (roots: readonly Uint8Array[]) => void;
}

/** An external signer may take half a minute. */
const issueTimeoutMs = 40_000;
const firstBackoffMs = 200;
const maxBackoffMs = 5_000;

export class IdentityClient {
  readonly #parts: IdentityClientParts;
  readonly #client: IdentityServiceClient & Client;
  #failures = 0;
  #closed = false;

  constructor(parts: IdentityClientParts) {
    this.#parts = parts;
    const { Client } = loadIdentityService();
    this.#client = new Client(parts.address, credentials.createInsecure(), {
      // The manager waits between its tries; a channel's own backoff must not add minutes to that.
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1000,
      'grpc.keepalive_time_ms': 20_000,
      'grpc.keepalive_timeout_ms': 10_000,
      'grpc.use_local_subchannel_pool': 1,
    });
  }

  /** Rejects with IssueFailure. */
  issue(workloadUid: string, csr: Uint8Array): Promise<Issued> {
    const request = { node: this.#parts.node, workloadUid, csr: Buffer.from(csr) };
    return new Promise((resolve, reject) => {
      const deadline = Date.now() + issueTimeoutMs;
      this.#client.issue(
        request,
        { deadline },
        (error: ServiceError | null, answer?: ReceivedIssueResponse) => {
          if (error !== null) reject(explain(error));
          else resolve({ chain: answer?.chain ?? [], roots: answer?.bundle?.roots ?? [] });
        },
      );
    });
  }

  /** Follows the bundle until {@link close}. */
  watch(): void {
    const { node, timers, random, log, onBundle } = this.#parts;
    const stream = this.#client.watchBundle({ node });
    let open = true;
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
    stream.on('data', ({ roots }) => {
      this.#failures = 0;
      onBundle(roots);
    });
    stream.on('error', end);
    stream.on('end', () => end(undefined));
  }

  close(): void {
    this.#closed = true;
    this.#client.close();
  }
}

function explain(error: ServiceError): IssueFailure {
  const [reason] = error.metadata?.get(reasonTrailer) ?? [];
  if (reason !== undefined) return new IssueFailure(String(reason), error.details);
  const away = error.code === status.UNAVAILABLE || error.code === status.DEADLINE_EXCEEDED;
  return new IssueFailure(away ? 'authority_unreachable' : 'issuer_failed', error.details);
}
