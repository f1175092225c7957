import { openAgent } from './agent/agent.ts';
import { openCluster } from './cluster/cluster.ts';
import { readConnection } from './cluster/credentials/connection.ts';
import { startDeadline } from './cluster/wire/deadline.ts';
import { findVerb, type Environment } from './cni/environment.ts';
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
import type { LogContext, Outcome } from './log/log-line.ts';
import { openLog } from './log/log.ts';
import { recordOperation } from './operations/record-operation.ts';
import { openClock } from './system/clock.ts';
import type { LibcLoader } from './system/libc.ts';
import { KernelError } from './system/kernel-error.ts';
import { processUptimeSeconds } from './system/node-process.ts';
import { startProgram } from './system/program.ts';
import { sha1 } from './system/sha1.ts';
import type { Watch } from './telemetry/telemetry.ts';
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
  let failure: CniError | undefined;
  try {
    const request = parseRequest(io);
    if (request.verb === 'VERSION') {
      await io.writeStdout(JSON.stringify(formatVersions(request.cniVersion)));
      return 0;
    }
    failure = await runCommand(request, io);
  } catch (error) {
    failure = toCniError(error, io);
    await answer(io, failure);
  }
  const command = findVerb(io.environment['CNI_COMMAND'] ?? '');
  if (command !== undefined && command !== 'VERSION') {
    recordOperation({ command, code: failure?.code ?? 0, durationMs: processUptimeSeconds() * 1000 });
  }
  return failure === undefined ? 0 : 1;
}

/** What answering needs. */
type AnswerIo = Omit<PluginIo, 'signal' | 'libc'> & Partial<Pick<PluginIo, 'signal'>>;

/**
 * Answers a runtime with an error that occurred before the command could start.
 *
 * @returns the exit status, 1
 */
export async function answerWithError(io: AnswerIo, error: unknown): Promise<number> {
  await answer(io, toCniError(error, io));
  return 1;
}

async function answer(io: AnswerIo, failure: CniError): Promise<void> {
  await io.writeStdout(JSON.stringify(formatError(failure, requestCniVersion(io)))).catch(() => undefined);
}

/** A request whose command has side effects. */
export type CommandRequest = Exclude<CniRequest, { verb: 'VERSION' }>;

/** @returns the error with which it has answered; `undefined` if it has succeeded */
async function runCommand(request: CommandRequest, io: PluginIo): Promise<CniError | undefined> {
  const { config, pluginPath } = request;
  const { environment } = io;
  const context = contextOf(request);
  const telemetry = await openTelemetryIfOn(request, io, context);
  using log = openLog({
    settings: config.log,
    context,
    writeLine: io.writeStderr,
    formatLine: telemetry?.formatLine,
  });
  const watched: Watch = telemetry?.watch ?? ((_name, effect) => effect);
  await using kernel = openKernel(io.libc, telemetry?.spans?.onStep);
  using cluster = openCluster(
    { connect: () => readConnection(config.connection, environment), budgets: config.budgets, log },
    telemetry?.spans?.withRequests,
  );
  const delegate = openDelegate({
    environment,
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
  const agent = watched('agent', openAgent(config));
  let failure: CniError | undefined;
  try {
    await dispatch(request, {
      agent,
      clock: openClock(),
      kernel: watched('kernel', kernel),
      cluster: watched('cluster', cluster),
      delegate: watched('delegate', delegate),
      podCidrCache: openPodCidrCache(config.name),
      statusCache: openStatusCache(config.name),
      journal: watched('journal', openJournal(config.name, log, undefined, io.libc)),
      log,
      output,
      signal: io.signal,
    });
  } catch (error) {
    failure = toCniError(error, io);
    await answer(io, failure);
    if (error === failure) log.error(failure.message, outcomeOf(failure));
    else log.error(stackOf(error), { code: failure.code });
    if (request.verb === 'ADD' && failure.code === ERROR_CODE.invalidAnnotation) {
      // The runtime has its answer, and waits only for the end of the process.
      using deadline = startDeadline(EVENT_MS, io.signal);
      const { reportRefusal } = await import('./telemetry/refusal-event.ts');
      await reportRefusal(request.args, failure.message, deadline, { agent, cluster, log, sha1 });
    }
  }
  telemetry?.end(log, failure && { message: failure.message, ...outcomeOf(failure) });
  return failure;
}

// Loaded only if something is on, so that it costs nothing otherwise.
async function openTelemetryIfOn(request: CommandRequest, io: PluginIo, context: LogContext) {
  const { config } = request;
  const { TRACEPARENT, PODWIRE_TRACE } = io.environment;
  const isOn = config.log.format === 'json' || (config.traceFilePath ?? TRACEPARENT ?? PODWIRE_TRACE) !== undefined;
  if (!isOn) return undefined;
  const { openTelemetry } = await import('./telemetry/telemetry.ts');
  return openTelemetry({ ...io, config, context, podUid: 'args' in request ? request.args.podUid : undefined });
}

/** How much longer the process of a refused ADD may take. */
const EVENT_MS = 250;

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

function outcomeOf({ code, details, finding, cause }: CniError): Outcome {
  return { code, details, finding, cause: cause instanceof Error ? cause.message : undefined };
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
