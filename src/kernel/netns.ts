// How one process configures two network namespaces, and why that is dangerous.
//
// The network namespace belongs to the thread, not to the process: setns(2) moves only the thread that calls it. Three
// rules follow.
//
// 1. A netlink socket stays in the namespace in which it was opened. So the thread enters the sandbox, opens a socket
//    and returns: setns, socket, setns in one synchronous step. From then on the socket configures the sandbox, while
//    the thread is back in its own namespace.
// 2. Nothing is awaited between the two calls of setns. JavaScript runs on one thread, so during an await the event
//    loop would run other code in the sandbox: a connection to the API server, for example, or a request for another
//    pod. No thread may be started either, because it would inherit the namespace and keep it (cni#262). This includes
//    the threads of Node.js, which start with the first asynchronous file operation.
// 3. /proc/sys/net shows the namespace of the thread that opens a file there. So a sysctl of the sandbox is read and
//    written synchronously, within the same kind of visit.
//
// If the way back fails, this thread stays in the sandbox: even an undo would change the pod instead of the host. So
// every later use of the kernel fails with a NamespaceLostError, and the process has to exit.

import { closeSync, fstatSync, openSync } from 'node:fs';
import { KernelError, NamespaceLostError } from '../system/kernel-error.ts';
import type { Libc } from '../system/libc.ts';
import { errnoOf } from '../system/error-text.ts';

/** The network namespace of this process, from which it visits others. */
export class OwnNetns implements Disposable {
  readonly #libc: Libc;
  /** Refers to this namespace in requests to the kernel. */
  readonly fd: number;
  #isLost = false;

  /** @throws {KernelError} */
  constructor(libc: Libc) {
    this.#libc = libc;
    try {
      this.fd = openSync('/proc/thread-self/ns/net', 'r');
    } catch (cause) {
      throw new KernelError('open', '/proc/thread-self/ns/net', errnoOf(cause) ?? 'EIO', { cause });
    }
  }

  /**
   * Runs `action` in the network namespace that a file descriptor refers to, and returns to this one. `action` must be
   * synchronous and must not start a thread (see above).
   *
   * @throws {KernelError} what `action` throws, or EINVAL if the descriptor does not refer to a network namespace
   * @throws {NamespaceLostError} if this process cannot return, and on every later call
   */
  visit<Value>(fd: number, action: () => Value): Value {
    this.requireHome();
    this.#libc.enterNetns(fd);
    try {
      return action();
    } finally {
      this.#return();
    }
  }

  /** @throws {NamespaceLostError} if this process could not return from a visit */
  requireHome(): void {
    if (this.#isLost) throw this.#namespaceLostError();
  }

  /** True if a file descriptor refers to this namespace. */
  isSameAs(fd: number): boolean {
    const own = fstatSync(this.fd, { bigint: true });
    const other = fstatSync(fd, { bigint: true });
    return own.dev === other.dev && own.ino === other.ino;
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
  }

  #return(): void {
    try {
      this.#libc.enterNetns(this.fd);
    } catch (cause) {
      this.#isLost = true;
      throw this.#namespaceLostError(cause);
    }
  }

  #namespaceLostError(cause?: unknown): NamespaceLostError {
    const name = cause instanceof KernelError ? cause.errnoName : 'EXDEV';
    const explanation = 'this process is in the network namespace of a pod and must exit';
    return new NamespaceLostError('return to', 'the network namespace of the host', name, { explanation, cause });
  }
}
