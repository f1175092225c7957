import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openNodeFiles } from '../../../src/cli/observe/node-files.ts';
import { observePrograms, typesIn } from '../../../src/cli/observe/observe-programs.ts';

// Not below /tmp: a program there can be replaced by other users.
const PARENT = '/run';
const OTHER_MACHINE = process.arch === 'x64' ? 183 : 62;

let folder = '';
beforeEach(() => void (folder = mkdtempSync(join(PARENT, 'podwire-programs-'))));
afterEach(() => rmSync(folder, { recursive: true }));
const write = (text: string, mode = 0o755) => {
  writeFileSync(join(folder, 'plugin'), text, 'latin1');
  chmodSync(join(folder, 'plugin'), mode);
};
const observe = () => observePrograms(['plugin'], ['/none', folder], openNodeFiles('/', {}), 5000);

describe('observePrograms', () => {
  it('reads the versions of a plugin', async () => {
    write(`#!/bin/sh\necho '{"supportedVersions": ["1.0.0", "1.1.0"]}'\n`);
    expect(await observe()).toMatchObject([
      { path: join(folder, 'plugin'), problem: undefined, versions: ['1.0.0', '1.1.0'] },
    ]);
  });
  it('reports in which folders a missing one was searched', async () =>
    expect(await observe()).toMatchObject([
      { path: undefined, problem: { kind: 'missing', text: `/none:${folder}` } },
    ]));

  const reports = (what: string, text: string, mode: number, problem: object) =>
    it(what, async () => {
      write(text, mode);
      expect(await observe()).toMatchObject([{ problem }]);
    });
  reports('a file that is not executable', '#!/bin/sh\n', 0o644, { fix: [expect.stringMatching(/^chmod 0755 /)] });
  reports('a file that others can change', '#!/bin/sh\n', 0o777, {
    fix: [expect.stringMatching(/^chown root:root /), expect.stringMatching(/^chmod 0755 /)],
  });
  reports(
    'a program of another architecture',
    `\u007fELF${'\0'.repeat(14)}${String.fromCharCode(OTHER_MACHINE)}\0`,
    0o755,
    { text: expect.stringContaining('another architecture') },
  );
  reports('a program that prints something else', '#!/bin/sh\nexit 3\n', 0o755, {
    text: expect.stringContaining('status 3'),
  });
  reports(
    'a program without one of its libraries',
    '#!/bin/sh\necho "x: error while loading shared libraries: libatomic.so.1: cannot open shared object file" >&2; exit 127\n',
    0o755,
    {
      text: expect.stringContaining('the library libatomic.so.1 is missing'),
    },
  );
});

it('the types of a list are its plugins and their IPAM plugins, each once', () =>
  expect(
    typesIn({ plugins: [{ type: 'podwire', ipam: { type: 'host-local' } }, { type: 'tuning' }, { type: 'tuning' }] }),
  ).toEqual(['podwire', 'host-local', 'tuning']));
