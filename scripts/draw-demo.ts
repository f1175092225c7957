// npm run docs:demo: draws what the demo prints, from a real run.
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensureExecutable } from '../build/up-to-date.ts';
import { ensureTools } from '../test/lab/tools/ensure-tools.ts';
import { runScript } from './command-line/run-script.ts';
import { drawTerminal } from './commands/terminal-picture.ts';
import { demoExcerpt } from './demo/demo-excerpt.ts';

const USAGE = `usage: npm run docs:demo

Runs the demo on a terminal, and writes a picture of most of its output to docs/demo.svg.
`;

const REPOSITORY = join(import.meta.dirname, '..');
const COLUMNS = 100;

await runScript({ name: 'docs:demo', usage: USAGE, options: {} }, async () => {
  await ensureExecutable();
  await ensureTools(['host-local']);
  const command = `stty columns ${COLUMNS}; ${process.execPath} scripts/demo.ts`;
  const { stdout } = await promisify(execFile)('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    cwd: REPOSITORY,
    env: { ...process.env, TERM: 'xterm' },
  });
  const path = join(REPOSITORY, 'docs/demo.svg');
  await writeFile(path, drawTerminal('npm run demo', demoExcerpt(stdout), COLUMNS));
  process.stderr.write(`docs:demo: wrote ${path}\n`);
});
