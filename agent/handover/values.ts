/** Small value types of the handover messages. */

/** IP version of a socket. */
export type Family = 4 | 6;

/** An IP address in canonical text. */
export type AddressText = string;
