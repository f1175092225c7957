// npm run docs:configuration: writes the tables of keys in docs/configuration.md from the parser of the network
// configuration.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runScript } from './command-line/run-script.ts';
import { CONFIGURATION_PAGE, withKeyTables } from './configuration/configuration-page.ts';

const USAGE = `usage: npm run docs:configuration

Writes the tables of keys in ${CONFIGURATION_PAGE}.
`;

await runScript({ name: 'docs:configuration', usage: USAGE, options: {} }, async () => {
  const page = join(import.meta.dirname, '..', CONFIGURATION_PAGE);
  await writeFile(page, withKeyTables(await readFile(page, 'utf8')));
  process.stderr.write(`docs:configuration: ${CONFIGURATION_PAGE}\n`);
});
