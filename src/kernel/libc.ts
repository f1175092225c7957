import { KernelError, formatErrno } from './kernel-error.ts';
import { loadNativeAddon } from './native-addon.ts';
import { AF, CLONE_NEWNET, NETLINK_ROUTE, SOCK } from './rtnetlink-constants.ts';

/** The system calls that Node has no function for. */
export interface Libc {
  /**
   * Puts the calling thread into the network namespace that a file descriptor stands for.
   *
   * @throws {KernelError} EINVAL if it stands for none, or for a namespace of another kind
   */
  enterNetns(fd: number): void;
  /**
   * A non-blocking netlink socket of the network namespace that the calling thread is in; node:fs reads, writes and closes it.
   *
   * @throws {KernelError}
   */
  openNetlink(): number;
}

/**
 * The C library by koffi's addon.
 *
 * @throws {KernelError} when addon or library cannot be loaded
 */
export function openLibc(): Libc {
  const koffi = loadNativeAddon('koffi');
  if (!isKoffi(koffi))
    throw new KernelError('use', "koffi's addon", 'ELIBBAD', { explanation: 'it does not export what it should' });
  const library = koffi.load('libc.so.6');
  const setns = library.func('int setns(int fd, int nstype)');
  const socket = library.func('int socket(int domain, int type, int protocol)');
  const succeeded = (operation: string, object: string, result: number): number => {
    if (result < 0) throw new KernelError(operation, object, formatErrno(koffi.errno()));
    return result;
  };
  return {
    enterNetns: (fd) => {
      succeeded('enter', 'the network namespace', setns(fd, CLONE_NEWNET));
    },
    openNetlink: () =>
      succeeded('open', 'a netlink socket', socket(AF.NETLINK, SOCK.RAW | SOCK.CLOEXEC | SOCK.NONBLOCK, NETLINK_ROUTE)),
  };
}

interface Koffi {
  load(library: string): { func(prototype: string): (...parameters: readonly number[]) => number };
  errno(): number;
}

function isKoffi(value: unknown): value is Koffi {
  if (typeof value !== 'object' || value === null) return false;
  return 'load' in value && typeof value.load === 'function' && 'errno' in value && typeof value.errno === 'function';
}
