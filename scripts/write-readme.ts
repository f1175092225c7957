// npm run docs:readme: writes the comparison of README.md, with the figures of the pages that tests and benchmarks have written.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runScript } from './command-line/run-script.ts';
import { withComparison } from './readme/comparison-table.ts';

const USAGE = `usage: npm run docs:readme

Writes the comparison of README.md, with the figures of docs/benchmarks/comparison.md, docs/benchmarks/size.md and
docs/reliability.md.
`;

await runScript({ name: 'docs:readme', usage: USAGE, options: {} }, async () => {
  const read = (path: string) => readFile(join(import.meta.dirname, '..', path), 'utf8');
  const pages = {
    comparison: await read('docs/benchmarks/comparison.md'),
    size: await read('docs/benchmarks/size.md'),
    reliability: await read('docs/reliability.md'),
  };
  await writeFile(join(import.meta.dirname, '../README.md'), withComparison(await read('README.md'), pages));
});
