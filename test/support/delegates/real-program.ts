import { openLibc } from '../../../src/system/libc.ts';
import { runProgram, type RunProgram } from '../../../src/system/program.ts';

/** Runs programs in the same way as the plugin does. */
export const runRealProgram: RunProgram = (run) => runProgram(run, openLibc());
