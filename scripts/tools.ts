// npm run tools: builds the real programs that tests run against into dist/tools.
import { ensureDebianLibraries } from '../test/lab/tools/debian-libraries.ts';
import { debianPrograms, ensureDebianProgram } from '../test/lab/tools/debian-program.ts';
import { ensureSystemPackages } from '../test/lab/tools/ensure-system-packages.ts';
import { ensureTools } from '../test/lab/tools/ensure-tools.ts';
import { toolProgressTo } from '../test/lab/tools/tool-progress.ts';
import { isToolName, toolNames, toolNamesOfTests } from '../test/lab/tools/tool-table.ts';
import { runScript, UsageError } from './command-line/run-script.ts';

const USAGE = `usage: npm run tools -- [NAME...]

Builds the programs that tests run against into dist/tools: those named, or all that npm test needs. Without a NAME, the Debian
packages that tests need are fetched too.
  NAME  ${toolNames().join(', ')}
`;

await runScript(
  { name: 'tools', usage: USAGE, options: {}, allowPositionals: true },
  async ({ positionals: names }) => {
    const unknown = names.filter((name) => !isToolName(name));
    if (unknown.length > 0) throw new UsageError(`Unknown tool ${unknown.join(', ')}`);
    try {
      if (names.length === 0) await ensurePackages((line) => process.stderr.write(`${line}\n`));
      await ensureTools(
        names.length > 0 ? names.filter(isToolName) : toolNamesOfTests(),
        toolProgressTo(process.stderr),
      );
    } catch (error) {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 1;
    }
  },
);

// A program that cannot be fetched is reported and skipped: a test that needs it fails and names it.
async function ensurePackages(log: (line: string) => void): Promise<void> {
  await ensureSystemPackages(log);
  await ensureDebianLibraries().catch((error: unknown) => log(`no libraries: ${String(error).split('\n')[0]}`));
  for (const name of debianPrograms()) {
    await ensureDebianProgram(name, log).catch((error: unknown) => log(`no ${name}: ${String(error).split('\n')[0]}`));
  }
}
