import { openAgent } from '../agent/agent.ts';
import type { Effects } from '../attachment/effects.ts';
import { openCluster } from '../cluster/cluster.ts';
import { readConnection } from '../cluster/credentials/connection.ts';
import { openDelegate } from '../delegate/delegate.ts';
import { openJournal } from '../journal/journal.ts';
import { openKernel } from '../kernel/kernel.ts';
import { openLog } from '../log/log.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import { openLibcLoader } from '../system/libc.ts';
import { startProgram } from '../system/program.ts';
import type { CliIo } from './cli-io.ts';

/** What a command for people may change on a node: the same as commands of the protocol. */
export type NodeEffects = Pick<Effects, 'agent' | 'cluster' | 'delegate' | 'journal' | 'kernel' | 'log'> &
  AsyncDisposable;

/** Opens the effects for a network. Nothing is loaded before it is used. */
export function openNodeEffects(config: NetworkConfig, programs: readonly string[], io: CliIo): NodeEffects {
  const libc = openLibcLoader();
  const log = openLog({
    settings: { ...config.log, level: 'warning' },
    context: { command: 'gc' },
    writeLine: io.writeStderr,
  });
  const kernel = openKernel(libc);
  const cluster = openCluster({ connect: () => readConnection(config.connection, {}), budgets: config.budgets, log });
  return {
    agent: openAgent(config),
    cluster,
    delegate: openDelegate({
      environment: { PATH: io.environment['PATH'], CNI_PATH: programs.join(':') },
      pluginPath: programs,
      budgetMs: config.budgets.delegateMs,
      startProgram: (program) => startProgram(program, libc.load()),
      tryLock: (fd) => libc.load().tryLock(fd),
      killProcess: (processFd) => libc.load().killProcess(processFd),
    }),
    journal: openJournal(config.name, log, undefined, libc),
    kernel,
    log,
    async [Symbol.asyncDispose]() {
      cluster[Symbol.dispose]();
      await kernel[Symbol.asyncDispose]();
      log[Symbol.dispose]();
    },
  };
}
