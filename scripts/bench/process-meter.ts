import koffi from 'koffi';
import { readFileSync } from 'node:fs';

/** A program to run once. Its output goes to files, because nothing reads a pipe while the thread waits. */
export interface MeteredProgram {
  readonly path: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly stdinPath: string;
  readonly stdoutPath: string;
  readonly stderrPath: string;
}

/** The cost of one run, including its children. */
export interface ProcessCost {
  /** As in a shell: 128 plus the signal's number if a signal ended it. */
  readonly exitStatus: number;
  readonly wallMs: number;
  /** User and system time. */
  readonly cpuMs: number;
}

export interface ProcessMeter {
  /** Runs a program to its end. */
  run(program: MeteredProgram): ProcessCost;
  /** Runs programs all at once; `wallMs` of each is from the first one's start to its own end. */
  runTogether(programs: readonly MeteredProgram[]): readonly ProcessCost[];
  /**
   * Runs a program to its end, and measures the peak resident memory of it or one of its children.
   *
   * This does not measure the time, because it starts the program through a shell: a process inherits the peak of the
   * process that started it, which would otherwise be Node.
   */
  runForPeak(program: MeteredProgram, pidPath: string): { readonly exitStatus: number; readonly peakKb: number };
}

/**
 * Opens a meter that starts programs with posix_spawn and waits for them with wait4. node:child_process neither reports
 * what a child has used nor starts it without copying our page table. Every call blocks the thread until the programs
 * have ended.
 */
export function openProcessMeter(): ProcessMeter {
  const libc = openLibc();
  return {
    run(program) {
      const startedMs = performance.now();
      libc.spawn(program);
      return libc.waitAny(startedMs).cost;
    },
    runTogether(programs) {
      const startedMs = performance.now();
      const started = programs.map((program) => libc.spawn(program));
      const costs = new Map<number, ProcessCost>();
      while (costs.size < started.length) {
        const { pid, cost } = libc.waitAny(startedMs);
        costs.set(pid, cost);
      }
      return started.flatMap((pid) => costs.get(pid) ?? []);
    },
    runForPeak({ path, environment, stdinPath, stdoutPath, stderrPath }, pidPath) {
      const script = '"$0" <"$1" >"$2" 2>"$3" & echo $! >"$4"';
      const args = ['-c', script, path, stdinPath, stdoutPath, stderrPath, pidPath];
      const files = { stdinPath: '/dev/null', stdoutPath: '/dev/null', stderrPath: '/dev/null' };
      libc.adoptOrphans();
      libc.spawn({ path: '/bin/sh', environment, ...files }, args);
      const shell = libc.waitAny(0).cost;
      if (shell.exitStatus !== 0) throw new Error(`sh failed to start ${path}`);
      const { cost, peakKb } = libc.waitFor(Number(readFileSync(pidPath, 'utf8')), 0);
      return { exitStatus: cost.exitStatus, peakKb };
    },
  };
}

interface EndedProcess {
  readonly pid: number;
  readonly cost: ProcessCost;
  readonly peakKb: number;
}

// At least the sizes of glibc's structures on 64-bit Linux.
const FILE_ACTIONS_BYTES = 256;
const ATTRIBUTES_BYTES = 512;
const RUSAGE_BYTES = 256;
const O_RDONLY = 0;
const O_WRONLY_CREAT_TRUNC = 0o1101;
const POSIX_SPAWN_SETPGROUP = 2;
const PR_SET_CHILD_SUBREAPER = 36;

function openLibc() {
  const library = koffi.load('libc.so.6');
  const initActions = numeric(library.func('int posix_spawn_file_actions_init(void *actions)'));
  const addOpen = numeric(
    library.func(
      'int posix_spawn_file_actions_addopen(void *actions, int fd, const char *path, int flags, unsigned int mode)',
    ),
  );
  const destroyActions = numeric(library.func('int posix_spawn_file_actions_destroy(void *actions)'));
  const initAttributes = numeric(library.func('int posix_spawnattr_init(void *attributes)'));
  const setFlags = numeric(library.func('int posix_spawnattr_setflags(void *attributes, int16_t flags)'));
  const setGroup = numeric(library.func('int posix_spawnattr_setpgroup(void *attributes, int group)'));
  const posixSpawn = numeric(
    library.func(
      'int posix_spawn(_Out_ int *pid, const char *path, void *actions, void *attributes, const char **argv, const char **environment)',
    ),
  );
  const wait4 = numeric(library.func('int wait4(int pid, _Out_ int *status, int options, void *usage)'));
  const prctl = numeric(library.func('int prctl(int option, ulong a, ulong b, ulong c, ulong d)'));

  // All running programs form one process group, so that wait4 does not return one of Node's own children.
  let group = 0;
  let running = 0;

  const waitFor = (pid: number, startedMs: number): EndedProcess => {
    const status = [0];
    const usage = Buffer.alloc(RUSAGE_BYTES);
    const ended = wait4(pid, status, 0, usage);
    const wallMs = performance.now() - startedMs;
    if (ended < 0) throw new Error(`wait4 ${pid}: errno ${koffi.errno()}`);
    const microseconds = (offset: number) =>
      Number(usage.readBigInt64LE(offset)) * 1e6 + Number(usage.readBigInt64LE(offset + 8));
    const cpuMs = (microseconds(0) + microseconds(16)) / 1000;
    const peakKb = Number(usage.readBigInt64LE(32));
    return { pid: ended, cost: { exitStatus: parseStatus(status[0] ?? 0), wallMs, cpuMs }, peakKb };
  };

  return {
    spawn(program: MeteredProgram, args: readonly string[] = []): number {
      const pid = [0];
      const actions = Buffer.alloc(FILE_ACTIONS_BYTES);
      const attributes = Buffer.alloc(ATTRIBUTES_BYTES);
      initActions(actions);
      addOpen(actions, 0, program.stdinPath, O_RDONLY, 0);
      addOpen(actions, 1, program.stdoutPath, O_WRONLY_CREAT_TRUNC, 0o600);
      addOpen(actions, 2, program.stderrPath, O_WRONLY_CREAT_TRUNC, 0o600);
      initAttributes(attributes);
      setFlags(attributes, POSIX_SPAWN_SETPGROUP);
      setGroup(attributes, running === 0 ? 0 : group);
      const environment = Object.entries(program.environment).map(([name, value]) => `${name}=${value}`);
      // koffi does not append the null pointer that ends an array of strings.
      const argv = [program.path, ...args, null];
      const errno = posixSpawn(pid, program.path, actions, attributes, argv, [...environment, null]);
      destroyActions(actions);
      if (errno !== 0) throw new Error(`posix_spawn ${program.path}: errno ${errno}`);
      const [started = 0] = pid;
      if (running === 0) group = started;
      running += 1;
      return started;
    },
    waitFor,
    waitAny(startedMs: number): EndedProcess {
      const ended = waitFor(-group, startedMs);
      running -= 1;
      return ended;
    },
    adoptOrphans: () => void prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0),
  };
}

function numeric(call: (...args: readonly unknown[]) => unknown): (...args: readonly unknown[]) => number {
  return (...args) => Number(call(...args));
}

function parseStatus(status: number): number {
  const signal = status & 0x7f;
  return signal === 0 ? (status >> 8) & 0xff : 128 + signal;
}
