#!/usr/bin/env node
// npm run tools [-- name...]: builds the real programs that tests run against into dist/tools: all of them, with the machine's packages
// that tests need, or those named as arguments.
import { debianPrograms, ensureDebianProgram } from '../test/lab/tools/debian-program.ts';
import { ensureSystemPackages } from '../test/lab/tools/ensure-system-packages.ts';
import { ensureTools } from '../test/lab/tools/ensure-tools.ts';
import { toolProgressTo } from '../test/lab/tools/tool-progress.ts';
import { isToolName, toolNames } from '../test/lab/tools/tool-table.ts';

const names = process.argv.slice(2);
const unknown = names.filter((name) => !isToolName(name));
if (unknown.length > 0) {
  process.stderr.write(`unknown: ${unknown.join(', ')}\nusage: npm run tools -- [${toolNames().join('|')}]...\n`);
  process.exitCode = 2;
} else {
  try {
    if (names.length === 0) await ensurePackages((line) => process.stderr.write(`${line}\n`));
    const wanted = names.length > 0 ? names.filter(isToolName) : toolNames();
    await ensureTools(wanted, toolProgressTo(process.stderr));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

// Go on without what cannot be had: a test that needs it fails, and says so.
async function ensurePackages(say: (line: string) => void): Promise<void> {
  await ensureSystemPackages(say);
  for (const name of debianPrograms()) {
    await ensureDebianProgram(name, say).catch((error: unknown) => say(`no ${name}: ${String(error).split('\n')[0]}`));
  }
}
