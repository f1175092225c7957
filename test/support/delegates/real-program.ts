import { openLibc } from '../../../src/system/libc.ts';
import { runProgram, type RunProgram } from '../../../src/system/program.ts';

/** Programs as the plugin runs them. */
export const runRealProgram: RunProgram = (run) => runProgram(run, openLibc());
