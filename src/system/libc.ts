import { KernelError, formatErrno } from './kernel-error.ts';
import { loadNativeAddon } from './native-addon.ts';

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
  /** A pipe that no program inherits, and whose one end, ours, never waits. @throws {KernelError} */
  openPipe(ours: keyof Pipe): Pipe;
  /**
   * Starts a program, its arguments none, its signals as if nobody had touched them, its stderr ours.
   *
   * @returns its process id
   * @throws {KernelError} ENOENT, EACCES, ENOEXEC, EAGAIN: it did not start
   * @see posix_spawn(3)
   */
  spawn(
    path: string,
    environment: readonly string[],
    pipes: { readonly stdinFd: number; readonly stdoutFd: number },
  ): number;
  /**
   * How a program that was spawned has ended; `undefined` while it runs.
   *
   * @throws {KernelError} ECHILD if it was told already
   */
  reap(pid: number): ProgramStatus | undefined;
  /** Ends a program that was spawned and not waited for yet. */
  kill(pid: number): void;
  /** Ends this process without the clean-up that Node and libraries do: nothing of it is needed, and it takes as long as a request. */
  exit(status: number): void;
}

/** Both ends. */
export interface Pipe {
  readonly readFd: number;
  readonly writeFd: number;
}

/** How a program has ended. */
export interface ProgramStatus {
  readonly exitCode: number | undefined;
  /** The signal's number. */
  readonly killedBy: number | undefined;
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
  let [pipe2, fcntl, waitpid]: (CFunction | undefined)[] = [];
  const c = (prototype: string): CFunction => library.func(prototype);
  return {
    openPipe(ours) {
      const fds = Buffer.alloc(8);
      pipe2 ??= c('int pipe2(void *fds, int flags)');
      fcntl ??= c('int fcntl(int fd, int command, int argument)');
      succeeded('open', 'a pipe', pipe2(fds, O_CLOEXEC));
      const pipe = { readFd: fds.readInt32LE(0), writeFd: fds.readInt32LE(4) };
      fcntl(pipe[ours], F_SETFL, O_NONBLOCK); // cannot fail for a descriptor that was just opened
      return pipe;
    },
    spawn(path, environment, { stdinFd, stdoutFd }) {
      const [actions, attributes, pid] = [
        Buffer.alloc(FILE_ACTIONS_BYTES),
        Buffer.alloc(ATTRIBUTES_BYTES),
        Buffer.alloc(4),
      ];
      const redirect = c('int posix_spawn_file_actions_adddup2(void *actions, int from, int to)');
      c('int posix_spawn_file_actions_init(void *actions)')(actions);
      redirect(actions, stdinFd, 0);
      redirect(actions, stdoutFd, 1);
      c('int posix_spawnattr_init(void *attributes)')(attributes);
      // Node ignores SIGPIPE, and a program would inherit that.
      c('int posix_spawnattr_setsigdefault(void *attributes, const void *set)')(
        attributes,
        Buffer.alloc(SIGSET_BYTES, 0xff),
      );
      c('int posix_spawnattr_setsigmask(void *attributes, const void *set)')(attributes, Buffer.alloc(SIGSET_BYTES));
      c('int posix_spawnattr_setflags(void *attributes, short flags)')(attributes, SPAWN_SETSIGDEF | SPAWN_SETSIGMASK);
      const start = c(
        'int posix_spawn(void *pid, const char *path, void *actions, void *attributes, const char **argv, const char **envp)',
      );
      const errno = start(pid, path, actions, attributes, [path, null], [...environment, null]);
      c('int posix_spawn_file_actions_destroy(void *actions)')(actions);
      if (errno !== 0) throw new KernelError('start', path, formatErrno(errno));
      return pid.readInt32LE(0);
    },
    reap(pid) {
      const status = Buffer.alloc(4);
      waitpid ??= c('int waitpid(int pid, void *status, int options)');
      if (succeeded('wait for', `process ${pid}`, waitpid(pid, status, WNOHANG)) === 0) return undefined;
      const word = status.readInt32LE(0);
      const killedBy = word & 0x7f; // WTERMSIG
      return killedBy === 0 ? { exitCode: word >> 8, killedBy: undefined } : { exitCode: undefined, killedBy };
    },
    kill(pid) {
      c('int kill(int pid, int signal)')(pid, SIGKILL);
    },
    exit(status) {
      c('void _exit(int status)')(status);
    },
    enterNetns: (fd) => {
      succeeded('enter', 'the network namespace', setns(fd, CLONE_NEWNET));
    },
    openNetlink: () =>
      succeeded('open', 'a netlink socket', socket(AF_NETLINK, SOCK_RAW | O_CLOEXEC | O_NONBLOCK, NETLINK_ROUTE)),
  };
}

/** As bits/types/struct_sched_param.h, spawn.h and sigset_t of glibc have them on 64 bit, with room to spare. */
const [FILE_ACTIONS_BYTES, ATTRIBUTES_BYTES, SIGSET_BYTES] = [128, 512, 128];
const [SPAWN_SETSIGDEF, SPAWN_SETSIGMASK, O_CLOEXEC, O_NONBLOCK] = [0x04, 0x08, 0o2000000, 0o4000];
const [F_SETFL, SIGKILL, WNOHANG] = [4, 9, 1];
/** From linux/netlink.h, bits/socket.h and sched.h. SOCK_CLOEXEC and SOCK_NONBLOCK equal the flags of open(2). */
const CLONE_NEWNET = 0x40000000;
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const NETLINK_ROUTE = 0;

type CParameter = number | string | Uint8Array | readonly (string | null)[];

type CFunction = (...parameters: readonly CParameter[]) => number;

interface Koffi {
  load(library: string): { func(prototype: string): CFunction };
  errno(): number;
}

function isKoffi(value: unknown): value is Koffi {
  if (typeof value !== 'object' || value === null) return false;
  return 'load' in value && typeof value.load === 'function' && 'errno' in value && typeof value.errno === 'function';
}
