import type { KillProcess } from '../../../src/delegate/orphaned-run.ts';
import type { TryLock } from '../../../src/delegate/host-local-leases.ts';
import { openLibc } from '../../../src/system/libc.ts';
import { startProgram, type StartProgram } from '../../../src/system/program.ts';

/** Starts programs in the same way as the plugin does. */
export const startRealProgram: StartProgram = (program) => startProgram(program, openLibc());

/** Kills a process as the plugin does. */
export const killRealProcess: KillProcess = (processFd) => openLibc().killProcess(processFd);

/** Locks a file as the plugin does. */
export const tryRealLock: TryLock = (fd) => openLibc().tryLock(fd);
