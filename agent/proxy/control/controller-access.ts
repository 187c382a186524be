/** How the controller is reached: by the socket of its own machine, or over TLS by a node that has joined. */

/** What a connection over TLS is made with. PEM texts. */
export interface ControllerTls {
  readonly key: string;
  /** The node's certificate, then intermediates. */
  readonly cert: string;
  /** The roots that the controller's certificate must lead to. */
  readonly ca: string;
  /** The SPIFFE id that the controller must prove. */
  readonly controllerId: string;
}

export interface ControllerAccess {
  /** As grpc-js takes it: `unix:PATH` or `host:port`. */
  readonly address: string;
  /** Resolves once {@link tls} can be asked. */
  readonly ready: Promise<void>;
  /** Of this moment; null over a socket, whose folder decides who comes. */
  tls(): ControllerTls | null;
  /** Calls `replaced` each time that connections should be made anew, because what they were made with will end. */
  onReplaced(replaced: () => void): void;
}

export function socketAccess(address: string): ControllerAccess {
  return { address, ready: Promise.resolve(), tls: () => null, onReplaced: () => {} };
}
