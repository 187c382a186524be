/** What an attempt to get a certificate ends with. */

/** DER; nothing of it is checked. */
export interface Issued {
  readonly chain: readonly Uint8Array[];
  readonly roots: readonly Uint8Array[];
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
