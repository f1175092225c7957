import type { NetlinkSocket } from '../netlink/socket.ts';

/** One of the two network namespaces in which steps act. */
export interface Namespace {
  readonly socket: NetlinkSocket;
  /** Runs a synchronous action in this namespace. */
  run<Value>(action: () => Value): Value;
}
