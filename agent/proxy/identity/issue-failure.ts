/** What an attempt to get a certificate ends with. */
import type { ReceivedIssueResponse } from '../../../proto/messages.js';

/** DER; nothing of it is checked. */
export interface Issued {
  readonly chain: readonly Uint8Array[];
  readonly roots: readonly Uint8Array[];
  /** The controller's clock as it answered, milliseconds since the epoch; 0 where it does not tell. */
  readonly nowMs: number;
}

export function readIssued(answer: ReceivedIssueResponse | undefined): Issued {
  const { roots = [], nowMs = 0 } = answer?.bundle ?? {};
  return { chain: answer?.chain ?? [], roots, nowMs };
}

/** Why there is no certificate. `reason` is a name of the registry. */
export class IssueFailure extends Error {
  readonly reason: string;

  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'IssueFailure';
    this.reason = reason;
  }
}
