import { closeSync, fstatSync, openSync } from 'node:fs';
import { KernelError, NamespaceLostError } from '../system/kernel-error.ts';
import type { Libc } from '../system/libc.ts';
import { errnoOf } from '../system/error-text.ts';

/** The network namespace that this process belongs to, from which it visits others. */
export class OwnNetns implements Disposable {
  readonly #libc: Libc;
  /** Stands for this namespace in requests to the kernel. */
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
   * Runs `action` in the network namespace of a file descriptor, and comes back. `action` must be synchronous and start no
   * thread: what the event loop ran meanwhile, and every thread begun there, would be in the wrong namespace (cni#262).
   *
   * @throws {KernelError} what `action` throws, or EINVAL for a descriptor of another kind
   * @throws {NamespaceLostError} when there is no way back, and ever after
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

  /** @throws {NamespaceLostError} when this process has not come back from a visit */
  requireHome(): void {
    if (this.#isLost) throw this.#lost();
  }

  /** Whether a file descriptor stands for this namespace. */
  isSameAs(fd: number): boolean {
    const [own, other] = [fstatSync(this.fd, { bigint: true }), fstatSync(fd, { bigint: true })];
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
      throw this.#lost(cause);
    }
  }

  #lost(cause?: unknown): NamespaceLostError {
    const name = cause instanceof KernelError ? cause.errnoName : 'EXDEV';
    const explanation = 'this process is in a network namespace that is not its own; it must end';
    return new NamespaceLostError('go back to', 'the network namespace of the host', name, { explanation, cause });
  }
}
