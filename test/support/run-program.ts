import type { RunProgram } from '../../src/delegate/run-delegate.ts';
import { openLibc } from '../../src/system/libc.ts';
import { runProgram } from '../../src/system/program.ts';

/** Programs as the plugin runs them. */
export const runRealProgram: RunProgram = (run) => runProgram(run, openLibc());
