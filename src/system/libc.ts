import { closeSync } from 'node:fs';
import { KernelError, formatErrno } from './kernel-error.ts';
import { openNativeLibrary } from './native-library.ts';

/** The functions of the C library that Node does not offer. */
export interface Libc {
  /**
   * Moves the calling thread into the network namespace that a file descriptor refers to.
   *
   * @throws {KernelError} EINVAL if it refers to something else, or to a namespace of another kind
   */
  enterNetns(fd: number): void;
  /**
   * Opens a non-blocking netlink socket in the network namespace of the calling thread; node:fs can read, write and
   * close it.
   *
   * @throws {KernelError}
   */
  openNetlink(): number;
  /**
   * A number that the kernel gives to one network namespace only, to that of the calling thread.
   *
   * @throws {KernelError} ENOPROTOOPT before Linux 5.14
   */
  readNetnsCookie(): bigint;
  /**
   * Opens a pipe that no program inherits. The end that this process uses, `ours`, never blocks.
   *
   * @throws {KernelError}
   */
  openPipe(ours: keyof Pipe): Pipe;
  /**
   * Starts a program without arguments, with default signal handling, and with our stderr.
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
   * How a spawned program has ended, or `undefined` while it runs.
   *
   * @throws {KernelError} ECHILD if this was reported before
   */
  reap(pid: number): ProgramStatus | undefined;
  /**
   * A descriptor that becomes readable when a spawned program ends.
   *
   * @returns `undefined` if the kernel is older than 5.3, or has too many open files
   * @see pidfd_open(2)
   */
  watchProgram(pid: number): number | undefined;
  /** Locks a file with flock(2), as long as its descriptor is open. @returns false if another process has locked it */
  tryLock(fd: number): boolean;
  /** Kills a spawned program that has not been reaped yet. */
  kill(pid: number): void;
  /**
   * Kills the process whose folder in /proc a descriptor refers to, and no later one with its id. Also succeeds if it has ended.
   *
   * @returns `impossible`: this process may not send it a signal, or is in another PID namespace, or the kernel is older than 5.1
   * @see pidfd_send_signal(2)
   */
  killProcess(processFd: number): 'killed' | 'impossible';
  /**
   * Ends this process without the clean-up of Node and of libraries, which is not needed, and takes as long as an API
   * request.
   */
  exit(status: number): void;
}

/** The two ends of a pipe. */
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

/** Loads the C library at its first use, once for all that share it: commands that do not use it do not pay for it. */
export interface LibcLoader {
  /** @throws {KernelError} if the addon or the library cannot be loaded */
  load(): Libc;
  /** The C library if it has been loaded. */
  loaded(): Libc | undefined;
}

export function openLibcLoader(): LibcLoader {
  let libc: Libc | undefined;
  return { load: () => (libc ??= openLibc()), loaded: () => libc };
}

/** What podwire calls, declared as koffi expects it. */
const PROTOTYPES = {
  _exit: 'void _exit(int status)',
  fcntl: 'int fcntl(int fd, int command, int argument)',
  flock: 'int flock(int fd, int operation)',
  getsockopt: 'int getsockopt(int fd, int level, int option, void *value, void *length)',
  kill: 'int kill(int pid, int signal)',
  pipe2: 'int pipe2(void *fds, int flags)',
  posix_spawn:
    'int posix_spawn(void *pid, const char *path, void *actions, void *attributes, const char **argv, const char **envp)',
  posix_spawn_file_actions_adddup2: 'int posix_spawn_file_actions_adddup2(void *actions, int from, int to)',
  posix_spawn_file_actions_destroy: 'int posix_spawn_file_actions_destroy(void *actions)',
  posix_spawn_file_actions_init: 'int posix_spawn_file_actions_init(void *actions)',
  posix_spawnattr_init: 'int posix_spawnattr_init(void *attributes)',
  posix_spawnattr_setflags: 'int posix_spawnattr_setflags(void *attributes, short flags)',
  posix_spawnattr_setsigdefault: 'int posix_spawnattr_setsigdefault(void *attributes, const void *set)',
  posix_spawnattr_setsigmask: 'int posix_spawnattr_setsigmask(void *attributes, const void *set)',
  setns: 'int setns(int fd, int nstype)',
  socket: 'int socket(int domain, int type, int protocol)',
  // Variadic in its header only: the library passes six machine words to the kernel.
  syscall: 'long syscall(long number, long one, long two, long three, long four)',
  waitpid: 'int waitpid(int pid, void *status, int options)',
} as const;

/**
 * Loads the C library with koffi's addon.
 *
 * @throws {KernelError} if the addon or the library cannot be loaded
 */
export function openLibc(): Libc {
  const { call, errno } = openNativeLibrary('libc.so.6', PROTOTYPES);
  const assertSuccess = (operation: string, object: string, result: number): number => {
    if (result < 0) throw new KernelError(operation, object, formatErrno(errno()));
    return result;
  };
  return {
    enterNetns(fd) {
      assertSuccess('enter', 'the network namespace', call('setns', fd, CLONE_NEWNET));
    },
    openNetlink() {
      const type = SOCK_RAW | O_CLOEXEC | O_NONBLOCK;
      return assertSuccess('open', 'a netlink socket', call('socket', AF_NETLINK, type, NETLINK_ROUTE));
    },
    readNetnsCookie() {
      const socket = assertSuccess('open', 'a socket', call('socket', AF_UNIX, SOCK_DGRAM | O_CLOEXEC, 0));
      try {
        const [cookie, length] = [Buffer.alloc(8), Buffer.alloc(4)];
        length.writeInt32LE(cookie.length);
        const outcome = call('getsockopt', socket, SOL_SOCKET, SO_NETNS_COOKIE, cookie, length);
        assertSuccess('read', 'the cookie of the network namespace', outcome);
        return cookie.readBigUInt64LE(0);
      } finally {
        closeSync(socket);
      }
    },
    openPipe(ours) {
      const fds = Buffer.alloc(8);
      assertSuccess('open', 'a pipe', call('pipe2', fds, O_CLOEXEC));
      const pipe = { readFd: fds.readInt32LE(0), writeFd: fds.readInt32LE(4) };
      call('fcntl', pipe[ours], F_SETFL, O_NONBLOCK); // cannot fail for a descriptor that was just opened
      return pipe;
    },
    spawn(path, environment, { stdinFd, stdoutFd }) {
      const actions = Buffer.alloc(FILE_ACTIONS_BYTES);
      call('posix_spawn_file_actions_init', actions);
      call('posix_spawn_file_actions_adddup2', actions, stdinFd, 0);
      call('posix_spawn_file_actions_adddup2', actions, stdoutFd, 1);
      const attributes = Buffer.alloc(ATTRIBUTES_BYTES);
      call('posix_spawnattr_init', attributes);
      // Node ignores SIGPIPE, and a program would inherit that.
      call('posix_spawnattr_setsigdefault', attributes, Buffer.alloc(SIGSET_BYTES, 0xff));
      call('posix_spawnattr_setsigmask', attributes, Buffer.alloc(SIGSET_BYTES));
      call('posix_spawnattr_setflags', attributes, SPAWN_SETSIGDEF | SPAWN_SETSIGMASK);
      const pid = Buffer.alloc(4);
      const failure = call('posix_spawn', pid, path, actions, attributes, [path, null], [...environment, null]);
      call('posix_spawn_file_actions_destroy', actions);
      if (failure !== 0) throw new KernelError('start', path, formatErrno(failure));
      return pid.readInt32LE(0);
    },
    reap(pid) {
      const status = Buffer.alloc(4);
      if (assertSuccess('wait for', `process ${pid}`, call('waitpid', pid, status, WNOHANG)) === 0) return undefined;
      const word = status.readInt32LE(0);
      const killedBy = word & 0x7f; // WTERMSIG
      return killedBy === 0 ? { exitCode: word >> 8, killedBy: undefined } : { exitCode: undefined, killedBy };
    },
    watchProgram(pid) {
      const fd = call('syscall', SYS_PIDFD_OPEN, pid, 0, 0, 0);
      return fd < 0 ? undefined : fd;
    },
    tryLock(fd) {
      if (call('flock', fd, LOCK_EX | LOCK_NB) === 0) return true;
      if (formatErrno(errno()) === 'EAGAIN') return false;
      throw new KernelError('lock', 'a file', formatErrno(errno()));
    },
    kill(pid) {
      call('kill', pid, SIGKILL);
    },
    killProcess(processFd) {
      if (call('syscall', SYS_PIDFD_SEND_SIGNAL, processFd, SIGKILL, 0, 0) === 0) return 'killed';
      return formatErrno(errno()) === 'ESRCH' ? 'killed' : 'impossible';
    },
    exit(status) {
      call('_exit', status);
    },
  };
}

/** At least the sizes of posix_spawn_file_actions_t, posix_spawnattr_t and sigset_t in glibc on 64 bit. */
const FILE_ACTIONS_BYTES = 128;
const ATTRIBUTES_BYTES = 512;
const SIGSET_BYTES = 128;
/** From spawn.h, fcntl.h, signal.h and wait.h. */
const SPAWN_SETSIGDEF = 0x04;
const SPAWN_SETSIGMASK = 0x08;
const O_CLOEXEC = 0o2000000;
const O_NONBLOCK = 0o4000;
const F_SETFL = 4;
const LOCK_EX = 2;
const LOCK_NB = 4;
const SIGKILL = 9;
const WNOHANG = 1;
/** From asm-generic/unistd.h; the same on every architecture. The C library has these functions since glibc 2.36 only. */
const SYS_PIDFD_SEND_SIGNAL = 424;
const SYS_PIDFD_OPEN = 434;
/** From linux/netlink.h, bits/socket.h and sched.h. SOCK_CLOEXEC and SOCK_NONBLOCK equal the flags of open(2). */
const CLONE_NEWNET = 0x40000000;
const AF_UNIX = 1;
const AF_NETLINK = 16;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const NETLINK_ROUTE = 0;
/** From asm-generic/socket.h. */
const SOL_SOCKET = 1;
const SO_NETNS_COOKIE = 71;
