/** gRPC's status codes as counters and load figures see them. */

/** UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS. */
const serverFaults: ReadonlySet<number> = new Set([2, 4, 12, 13, 14, 15]);

/** The last code there is (UNAUTHENTICATED); a client takes one beyond it for UNKNOWN. */
const lastCode = 16;
const unknownCode = 2;

/** A response's code in the range that there is: -1 is none. */
export function knownGrpcStatus(code: number): number {
  if (code < 0) return -1;
  return code <= lastCode ? code : unknownCode;
}

/** Whether a code blames the server, as OpenTelemetry's conventions for RPC servers have it; a 5xx among statuses. */
export function isServerFault(code: number): boolean {
  return serverFaults.has(knownGrpcStatus(code));
}
