/** Whoever reads what a transport receives. */
export interface TransportListener {
  received(datagram: Uint8Array): void;
  /** An answer was lost: whose is unknown. */
  failed(errnoName: string): void;
}

/** What carries datagrams to the kernel and back. */
export interface NetlinkTransport {
  /** `sent` is called once: when the kernel has worked off the datagram, or with the errno's name when it did not take it. */
  send(datagram: Uint8Array, sent: (errnoName: string | undefined) => void): void;
  close(): void;
}
