/** The receiver of what arrives at a transport. */
export interface TransportListener {
  received(datagram: Uint8Array): void;
  /** A reply was lost. It is unknown to which request it belonged. */
  failed(errnoName: string): void;
}

/** A connection that carries datagrams to the kernel and back. */
export interface NetlinkTransport {
  /**
   * Calls `sent` once: after the kernel has processed the datagram, or with the name of an errno if it was not
   * accepted.
   */
  send(datagram: Uint8Array, sent: (errnoName: string | undefined) => void): void;
  close(): void;
}
