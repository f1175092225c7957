// The workflows of the code forge, which cannot run here: actionlint checks their form, and these tests what they refer to.
import { execFile } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { member } from '../lab/member.ts';
import { ensureTools } from '../lab/tools/ensure-tools.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const find = (pattern: string) =>
  globSync(pattern, { cwd: REPOSITORY, exclude: (path) => /node_modules|dist/.test(path) }).toSorted();
const read = (path: string) => readFileSync(join(REPOSITORY, path), 'utf8');
const WORKFLOWS = find('.github/workflows/*.yml');
const TEXT = WORKFLOWS.map(read).join('\n');
const listIn = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

describe('the workflows', () => {
  it.each(WORKFLOWS)('%s is accepted by actionlint', async (path) => {
    const { actionlint } = await ensureTools(['actionlint']);
    const { stdout } = await promisify(execFile)(actionlint, ['-no-color', path], { cwd: REPOSITORY });
    expect(stdout).toBe('');
  });

  it('use only actions of the code forge itself, of a version', () => {
    const used = [...TEXT.matchAll(/uses: (\S+)/g)].map(([, action = '']) => action);
    const allowed = /^actions\/(checkout|setup-node|setup-go|cache)@v\d+$|^\.\/\.github\/workflows\/test\.yml$/;
    expect(used.filter((action) => !allowed.test(action))).toEqual([]);
    expect(used.length).toBeGreaterThan(5);
  });

  it('run scripts and read files that exist', () => {
    const named = [...TEXT.matchAll(/(?<![\w./-])((?:scripts|test|build)\/[\w./-]+\.(?:ts|mod|sum))/g)];
    expect(named.map(([, path = '']) => path).filter((path) => !existsSync(join(REPOSITORY, path)))).toEqual([]);
    const scripts: unknown = member(JSON.parse(read('package.json')), 'scripts');
    const run = [...TEXT.matchAll(/npm run (?:--silent )?([\w:-]+)/g)].map(([, name = '']) => name);
    expect(run.filter((name) => member(scripts, name) === undefined)).toEqual([]);
  });
});

describe('dependabot.yml', () => {
  const updates = listIn(member(parse(read('.github/dependabot.yml')), 'updates'));
  const foldersOf = (ecosystem: string) =>
    updates
      .filter((update) => member(update, 'package-ecosystem') === ecosystem)
      .flatMap((update) => [...listIn(member(update, 'directories')), member(update, 'directory') ?? []].flat())
      .map((folder) => String(folder).slice(1));

  it.each([
    ['npm', 'package.json'],
    ['gomod', 'go.mod'],
  ])('updates every folder of %s', (ecosystem, file) => {
    const expected = [...find(file), ...find(`{build,test}/**/${file}`)].map(dirname);
    const updated = foldersOf(ecosystem).flatMap((folder) => find(join(folder, file)).map(dirname));
    expect(new Set(updated)).toEqual(new Set(expected));
    expect(expected.length).toBeGreaterThan(1);
  });
});

it.each(find('.github/ISSUE_TEMPLATE/*.yml'))('%s has the form of its kind', (path) => {
  const template: unknown = parse(read(path));
  if (path.endsWith('config.yml')) {
    expect(template).toMatchObject({
      blank_issues_enabled: false,
      contact_links: [{ url: expect.stringMatching(/^https:/) }],
    });
    return;
  }
  expect(template).toMatchObject({ name: expect.any(String), description: expect.any(String) });
  const ids = listIn(member(template, 'body')).flatMap((field) => member(field, 'id') ?? []);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.length).toBeGreaterThan(1);
});
