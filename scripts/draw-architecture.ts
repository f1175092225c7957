// npm run docs:architecture: writes the picture and the table of imports in docs/architecture.md.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ARCHITECTURE_PAGE, readSourceGraph, withDrawing } from './architecture/architecture-page.ts';
import { runScript } from './command-line/run-script.ts';

const USAGE = `usage: npm run docs:architecture

Writes the picture and the table of imports in ${ARCHITECTURE_PAGE}.
`;

await runScript({ name: 'docs:architecture', usage: USAGE, options: {} }, async () => {
  const page = join(import.meta.dirname, '..', ARCHITECTURE_PAGE);
  await writeFile(page, withDrawing(await readFile(page, 'utf8'), await readSourceGraph()));
  process.stderr.write(`docs:architecture: ${ARCHITECTURE_PAGE}\n`);
});
