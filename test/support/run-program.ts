import type { RunProgram } from '../../src/delegate/run-delegate.ts';
import { openLibc } from '../../src/kernel/libc.ts';
import { runProgram } from '../../src/kernel/program.ts';

/** Programs as the plugin runs them. */
export const runRealProgram: RunProgram = (run) => runProgram(run, openLibc());
