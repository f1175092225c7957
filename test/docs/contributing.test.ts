import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { readPage, REPOSITORY, trackedPages } from './tracked-pages.ts';

const CONTRIBUTING = readPage('CONTRIBUTING.md');
const SCRIPTS = scriptsIn(JSON.parse(readPage('package.json')));

describe('CONTRIBUTING.md', () => {
  it('explains each npm script in its table, and no other', () => {
    const explained = [...CONTRIBUTING.matchAll(/^\| `npm (?:run )?([\w:-]+)` \|/gm)].map(([, name]) => name);
    expect(new Set(explained)).toEqual(new Set(SCRIPTS));
  });

  it('explains each environment variable of podwire and its tests', () => {
    const used = execFileSync('git', ['grep', '-ohE', 'PODWIRE_[A-Z_]+', '--', 'src', 'scripts', 'build', 'test'], {
      cwd: REPOSITORY,
    });
    const variables = new Set(used.toString().trim().split('\n'));
    variables.delete('PODWIRE_VERSION'); // a constant of the code
    expect([...variables].filter((name) => !CONTRIBUTING.includes(`\`${name}\``))).toEqual([]);
  });

  it('names an existing test in each example with -t', () => {
    const examples = [...CONTRIBUTING.matchAll(/npm test -- (\S+) -t '([^']+)'/g)];
    const find = (path: string, title: string) =>
      execFileSync('git', ['grep', '-lF', title, '--', path], { cwd: REPOSITORY }).toString();
    expect(examples).not.toEqual([]);
    for (const [, path = '', title = ''] of examples) expect(find(path, title)).not.toBe('');
  });
});

it('each npm script that a page names exists', () => {
  const unknown = trackedPages().flatMap(({ path, text }) =>
    [...text.matchAll(/npm run ([\w:-]*\w)/g)].flatMap(([, name = '']) =>
      SCRIPTS.includes(name) ? [] : [`${path}: ${name}`],
    ),
  );
  expect(unknown).toEqual([]);
});

function scriptsIn(packageFile: unknown): readonly string[] {
  const scripts: unknown =
    typeof packageFile === 'object' && packageFile !== null ? Reflect.get(packageFile, 'scripts') : undefined;
  return typeof scripts === 'object' && scripts !== null ? Object.keys(scripts) : [];
}
