import { openAgent } from './agent/agent.ts';
import { openCluster } from './cluster/cluster.ts';
import { readConnection } from './cluster/credentials/connection.ts';
import type { Environment } from './cni/environment.ts';
import { CniError, ERROR_CODE } from './cni/error.ts';
import { formatError } from './cni/error-result.ts';
import { parseRequest, requestCniVersion, type CniRequest } from './netconf/request.ts';
import { formatVersions } from './cni/version-result.ts';
import { add } from './commands/add.ts';
import { check } from './commands/check.ts';
import { del } from './commands/del.ts';
import type { Effects } from './attachment/effects.ts';
import { gc } from './commands/gc.ts';
import { status } from './commands/status.ts';
import { openDelegate } from './delegate/delegate.ts';
import { openJournal } from './journal/journal.ts';
import { openPodCidrCache } from './cluster/pod-cidr-cache.ts';
import { openStatusCache } from './cluster/status-cache.ts';
import { openKernel } from './kernel/kernel.ts';
import type { LogContext } from './log/log-line.ts';
import { openLog } from './log/log.ts';
import { openClock } from './system/clock.ts';
import type { LibcLoader } from './system/libc.ts';
import { KernelError } from './system/kernel-error.ts';
import { startProgram } from './system/program.ts';
import { openTrace, traced } from './trace.ts';
import { messageOf, stackOf } from './system/error-text.ts';

/** What a runtime passes to a plugin, and how the plugin answers. */
export interface PluginIo {
  readonly environment: Environment;
  readonly stdin: Uint8Array;
  /** Rejects if the runtime no longer reads. */
  readonly writeStdout: (text: string) => Promise<void>;
  readonly writeStderr: (text: string) => void;
  /** Aborted when the runtime ends this command. */
  readonly signal: AbortSignal;
  /** The C library, which the caller owns. The kernel and the delegate load it at its first use. */
  readonly libc: LibcLoader;
}

/**
 * Runs one command of the CNI protocol.
 *
 * @returns the exit status: 0, or 1 with the error's JSON on stdout
 * @see SPEC.md 1.1.0, sections 2 and 5
 */
export async function runPlugin(io: PluginIo): Promise<number> {
  try {
    const request = parseRequest(io);
    if (request.verb === 'VERSION') await io.writeStdout(JSON.stringify(formatVersions(request.cniVersion)));
    else await runCommand(request, io);
    return 0;
  } catch (error) {
    return answerWithError(io, error);
  }
}

/**
 * Answers a runtime with an error, also one that occurred before the command could start.
 *
 * @returns the exit status, 1
 */
export async function answerWithError(
  io: Omit<PluginIo, 'signal' | 'libc'> & Partial<Pick<PluginIo, 'signal'>>,
  error: unknown,
): Promise<number> {
  const answer = formatError(toCniError(error, io), requestCniVersion(io));
  await io.writeStdout(JSON.stringify(answer)).catch(() => undefined);
  return 1;
}

/** A request whose command has side effects. */
export type CommandRequest = Exclude<CniRequest, { verb: 'VERSION' }>;

async function runCommand(request: CommandRequest, io: PluginIo): Promise<void> {
  const { config, pluginPath } = request;
  using log = openLog({ settings: config.log, context: contextOf(request), writeLine: io.writeStderr });
  const trace = openTrace(io.environment, io.writeStderr);
  trace?.('request parsed');
  await using kernel = openKernel(io.libc);
  using cluster = openCluster({
    connect: () => readConnection(config.connection, io.environment),
    budgets: config.budgets,
    log,
  });
  const delegate = openDelegate({
    environment: io.environment,
    pluginPath,
    budgetMs: config.budgets.delegateMs,
    startProgram: (program) => startProgram(program, io.libc.load()),
    tryLock: (fd) => io.libc.load().tryLock(fd),
    killProcess: (processFd) => io.libc.load().killProcess(processFd),
  });
  const output = async (text: string): Promise<void> => {
    io.signal.throwIfAborted();
    await io.writeStdout(text);
  };
  try {
    await dispatch(request, {
      agent: traced('agent', openAgent(config), trace),
      clock: openClock(),
      kernel: traced('kernel', kernel, trace),
      cluster: traced('cluster', cluster, trace),
      delegate: traced('delegate', delegate, trace),
      podCidrCache: openPodCidrCache(config.name),
      statusCache: openStatusCache(config.name),
      journal: traced('journal', openJournal(config.name, log, undefined, io.libc), trace),
      log,
      output,
      signal: io.signal,
    });
    trace?.('command done');
  } catch (error) {
    log.error(describeError(error));
    throw error;
  }
}

/**
 * Runs the command of a request.
 *
 * @throws {CniError} what the command throws
 */
export async function dispatch(request: CommandRequest, effects: Effects): Promise<void> {
  switch (request.verb) {
    case 'ADD':
      return add(request, effects);
    case 'DEL':
      return del(request, effects);
    case 'CHECK':
      return check(request, effects);
    case 'GC':
      return gc(request, effects);
    case 'STATUS':
      return status(request, effects);
    default:
      return request satisfies never;
  }
}

function contextOf(request: CommandRequest): LogContext {
  if (request.verb === 'GC' || request.verb === 'STATUS') return { command: request.verb };
  const { containerId, interfaceName } = request.id;
  const { pod } = request.args;
  return {
    command: request.verb,
    container: containerId,
    interface: interfaceName,
    ...(pod !== undefined && { pod: `${pod.namespace}/${pod.name}` }),
  };
}

function describeError(error: unknown): string {
  if (!(error instanceof CniError)) return stackOf(error);
  const cause =
    error.cause instanceof Error && error.cause.message !== error.message ? `; cause: ${error.cause.message}` : '';
  const finding = error.finding === undefined ? '' : `${error.finding}, `;
  return `${error.message}${error.details === '' ? '' : ` (${error.details})`} [${finding}code ${error.code}]${cause}`;
}

function toCniError(error: unknown, { signal }: Partial<Pick<PluginIo, 'signal'>>): CniError {
  if (error instanceof CniError) return error;
  if (signal?.aborted === true) {
    return new CniError(ERROR_CODE.tryAgainLater, 'the runtime ended this command; everything that it did is undone', {
      cause: error,
    });
  }
  if (error instanceof KernelError && (error.errnoName === 'EMFILE' || error.errnoName === 'ENFILE')) {
    return new CniError(ERROR_CODE.inputOutput, error.message, { details: error.errnoName, cause: error });
  }
  if (error instanceof KernelError) {
    const { message, errnoName, finding } = error;
    return new CniError(ERROR_CODE.kernelRefused, message, { details: errnoName, cause: error, finding });
  }
  if (isErrno(error)) {
    return new CniError(
      ERROR_CODE.inputOutput,
      `a system call failed: ${error.message}; check the limits (open files, processes, memory) and the disks of this node`,
      { details: error.code ?? '', cause: error },
    );
  }
  return new CniError(ERROR_CODE.internal, 'internal error (a bug in podwire); please report it with the log', {
    details: messageOf(error),
    cause: error,
  });
}

function isErrno(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}
