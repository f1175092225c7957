import type { NetlinkSocket } from '../netlink/socket.ts';

/** One of the two network namespaces that steps act in. */
export interface Namespace {
  readonly socket: NetlinkSocket;
  /** Runs a synchronous action in it. */
  run<Value>(action: () => Value): Value;
}
