import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ARCHITECTURE_PAGE, readSourceGraph, withDrawing } from '../../scripts/architecture/architecture-page.ts';
import { readPage, REPOSITORY } from './tracked-pages.ts';

const PAGE = readPage(ARCHITECTURE_PAGE);

describe('the page about the architecture', () => {
  it('draws the imports as they are; if not, run npm run docs:architecture', async () =>
    expect(PAGE).toBe(withDrawing(PAGE, await readSourceGraph())));

  it('describes each folder of src, and no other', () => {
    const [, section = ''] = PAGE.split(/^## Folders$/m);
    const described: readonly string[] = [...(section.split(/^## /m)[0] ?? '').matchAll(/^\| `(\w+)\/` \|/gm)].map(
      ([, folder = '']) => folder,
    );
    const folders = readdirSync(join(REPOSITORY, 'src'), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    expect(new Set(described)).toEqual(new Set(folders.map(({ name }) => name)));
  });
});
