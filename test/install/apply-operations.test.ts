import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeSecret } from '../../src/cluster/credentials/secret.ts';
import { applyOperations } from '../../src/install/apply-operations.ts';
import type { Operation } from '../../src/install/operation.ts';
import { openLibcLoader } from '../../src/system/libc.ts';
import { makeFolder } from './make-folder.ts';

async function apply(operations: readonly Operation[]): Promise<readonly string[]> {
  const lines: string[] = [];
  const note = (line: string) => void lines.push(line);
  const log = { debug: note, info: note, warning: note, error: note };
  await applyOperations(operations, { log, libc: openLibcLoader() });
  return lines;
}

it('each operation logs one line with the path on the node, and no content', async () => {
  using folder = makeFolder();
  const at = (name: string) => ({ path: join(folder.path, name), shownPath: `/node/${name}` });
  writeFileSync(at('old').path, '');
  mkdirSync(join(at('full').path, 'inner'), { recursive: true });
  mkdirSync(at('empty').path);
  mkdirSync(join(at('kept').path, 'inner'), { recursive: true });
  const lines = await apply([
    { kind: 'keep', shownPath: '/node/a', why: 'it is up to date' },
    { kind: 'write-file', ...at('new'), text: makeSecret('a token', 'a test'), mode: 0o600 },
    { kind: 'remove-file', ...at('old') },
    { kind: 'remove-folder', ...at('full') },
    { kind: 'remove-folder-if-empty', ...at('empty') },
    { kind: 'remove-folder-if-empty', ...at('kept') },
  ]);
  expect(lines).toEqual([
    '/node/a: unchanged: it is up to date',
    '/node/new: written',
    '/node/old: removed',
    '/node/full: removed',
    '/node/empty: removed',
  ]);
  expect(readdirSync(folder.path).toSorted()).toEqual(['kept', 'new']);
});

it('the first operation that fails is the last', async () => {
  using folder = makeFolder();
  const write = (name: string): Operation => ({
    kind: 'write-file',
    path: join(folder.path, name),
    shownPath: name,
    text: makeSecret('', 'a test'),
    mode: 0o600,
  });
  await expect(apply([write('a'), write('missing/b'), write('c')])).rejects.toThrow('ENOENT');
  expect(readdirSync(folder.path)).toEqual(['a']);
});

it('a program that does not run as a plugin is not installed', async () => {
  using folder = makeFolder();
  const place = (name: string, script: string): Operation => {
    writeFileSync(join(folder.path, `${name}.image`), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return {
      kind: 'place-program',
      from: join(folder.path, `${name}.image`),
      path: join(folder.path, name),
      shownPath: name,
    };
  };
  const answer = `[ "$CNI_COMMAND" = VERSION ] && echo '{"cniVersion":"1.0.0","supportedVersions":["1.0.0"]}'`;
  expect(await apply([place('good', answer)])).toEqual(['good: installed, after a test run']);
  await expect(apply([place('bad', 'exit 3')])).rejects.toThrow('this node cannot run bad');
  expect(readdirSync(folder.path).toSorted()).toEqual(['bad.image', 'good', 'good.image']);
});
