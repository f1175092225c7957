import { join } from 'node:path';
import { openAgent } from '../../../src/agent/agent.ts';
import { openCluster } from '../../../src/cluster/cluster.ts';
import { readConnection } from '../../../src/cluster/credentials/connection.ts';
import { parseRequest, type RequestInput } from '../../../src/netconf/request.ts';
import type { Effects } from '../../../src/attachment/effects.ts';
import { openDelegate } from '../../../src/delegate/delegate.ts';
import { openJournal } from '../../../src/journal/journal.ts';
import { openPodCidrCache } from '../../../src/cluster/pod-cidr-cache.ts';
import { openStatusCache } from '../../../src/cluster/status-cache.ts';
import { openKernel } from '../../../src/kernel/kernel.ts';
import { openLog } from '../../../src/log/log.ts';
import { openClock } from '../../../src/system/clock.ts';
import { dispatch } from '../../../src/plugin.ts';
import { killRealProcess, startRealProgram, tryRealLock } from '../delegates/real-program.ts';

/** The outcome of one command. */
export interface CommandEnd {
  /** The results that it passed to the runtime. */
  readonly outputs: readonly string[];
  readonly logged: readonly string[];
  /** The error that it threw; `undefined` if it succeeded. */
  readonly error: Error | undefined;
}

/** Replaces effects by a test's own, which usually call the originals. */
export type WrapEffects = (effects: Effects) => Effects;

/** Where a command's effects keep their files, and what is done to them. */
export interface CommandSetting {
  /** The parent of the folders of the journal and the status cache. */
  readonly folder: string;
  readonly wrap?: WrapEffects;
  readonly signal?: AbortSignal;
}

/**
 * Runs one command in this process, with real effects: kernel, API, delegate, journal. Returns its outputs and its
 * log.
 */
export async function runCommand(
  input: RequestInput,
  { folder, wrap = (effects) => effects, signal = new AbortController().signal }: CommandSetting,
): Promise<CommandEnd> {
  const request = parseRequest(input);
  if (request.verb === 'VERSION') throw new Error('VERSION has no effects');
  const { environment } = input;
  const { config, pluginPath } = request;
  const outputs: string[] = [];
  const logged: string[] = [];
  using log = openLog({
    settings: { ...config.log, level: 'debug', filePath: undefined },
    context: {},
    writeLine: (line) => void logged.push(line),
  });
  await using kernel = openKernel();
  using cluster = openCluster({
    connect: () => readConnection(config.connection, environment),
    budgets: config.budgets,
    log,
  });
  const effects = wrap({
    agent: openAgent(config),
    clock: openClock(),
    kernel,
    cluster,
    delegate: openDelegate({
      environment,
      pluginPath,
      budgetMs: config.budgets.delegateMs,
      startProgram: startRealProgram,
      killProcess: killRealProcess,
      tryLock: tryRealLock,
    }),
    journal: openJournal(config.name, log, { records: journalFolder(folder), rejected: join(folder, 'rejected') }),
    podCidrCache: openPodCidrCache(config.name, join(folder, 'pod-cidrs')),
    statusCache: openStatusCache(config.name, join(folder, 'status')),
    log,
    output: async (text) => void outputs.push(text),
    signal,
  });
  try {
    await dispatch(request, effects);
    return { outputs, logged, error: undefined };
  } catch (error) {
    return { outputs, logged, error: error instanceof Error ? error : new Error(String(error)) };
  }
}

/** The folder of the journals of all networks. */
export function journalFolder(folder: string): string {
  return join(folder, 'journal');
}
