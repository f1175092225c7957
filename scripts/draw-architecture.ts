// npm run docs:architecture: writes the drawing and the table of imports in docs/architecture.md.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ARCHITECTURE_PAGE, readSourceGraph, withDrawing } from './architecture/architecture-page.ts';

const page = join(import.meta.dirname, '..', ARCHITECTURE_PAGE);
await writeFile(page, withDrawing(await readFile(page, 'utf8'), await readSourceGraph()));
process.stderr.write(`draw-architecture: ${ARCHITECTURE_PAGE}\n`);
