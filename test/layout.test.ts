import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

// Rules that the linter cannot check. oxlint.config.ts has the table of which folder may import which.

const REPOSITORY = join(import.meta.dirname, '..');
const FILES = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: REPOSITORY })
  .toString()
  .split('\n')
  .filter((path) => path !== '' && textOf(path) !== undefined);
const CODE = FILES.filter((path) => /^(src|build|scripts|test)\/.*\.(ts|mjs|cjs)$/.test(path));
const SOURCES = CODE.filter((path) => path.startsWith('src/'));
const TESTS = CODE.filter((path) => path.startsWith('test/') && path !== 'test/layout.test.ts');

describe('files', () => {
  it('a source file that exports functions has its test', () => {
    const missing = SOURCES.filter(exportsFunctions).filter(
      (path) => !mirrorsOf(path).some((mirror) => FILES.includes(mirror)),
    );
    expect(missing).toEqual([]);
  });

  it('a file is named after the one thing that it exports', () => {
    const banned =
      /^(utils?|helpers?|common|misc|types|index|manager|.*-(utils?|helpers?|manager))\.(kernel\.|test\.)*(ts|mjs|cjs)$/;
    expect(CODE.filter((path) => banned.test(basename(path)))).toEqual([]);
  });

  it('a file can be read at one sitting', () => {
    expect(CODE.filter((path) => lineCount(path) > 300)).toEqual([]);
  });

  it('test/support is sorted into folders by kind, and stays small', () => {
    const support = CODE.filter((path) => path.startsWith('test/support/'));
    expect(support.filter((path) => !/^test\/support\/[^/]+\/[^/]+$/.test(path))).toEqual([]);
    expect(support.length).toBeLessThanOrEqual(49);
  });

  it('a test of scripts lies where the script does', () => {
    const folders = (root: string) =>
      new Set(CODE.filter((path) => path.startsWith(root)).map((path) => dirname(path)));
    const unknown = [...folders('test/scripts/')].filter(
      (folder) => !folders('scripts/').has(folder.slice('test/'.length)),
    );
    expect(unknown).toEqual([]);
  });

  it('each folder of src has its row in the table of imports', () => {
    const table = textOf('oxlint.config.ts') ?? '';
    const folders = new Set(SOURCES.flatMap((path) => /^src\/([^/]+)\//.exec(path)?.[1] ?? []));
    expect([...folders].filter((folder) => !table.includes(`\n  ${folder}: `))).toEqual([]);
  });
});

describe('the laboratory', () => {
  const imports = (from: (path: string) => boolean, to: RegExp) =>
    CODE.filter(from).flatMap((path) =>
      importsOf(path).flatMap((target) => (to.test(target) ? `${path}: ${target}` : [])),
    );

  it('test/lab is all that src, build and scripts import of test', () =>
    expect(imports((path) => !path.startsWith('test/'), /^test\/(?!lab\/)/)).toEqual([]));
  it('test/lab imports nothing else of test', () =>
    expect(imports((path) => path.startsWith('test/lab/'), /^test\/(?!lab\/)/)).toEqual([]));
  it('test/lab needs no test runner, except in its own tests', () =>
    expect(
      CODE.filter((path) => path.startsWith('test/lab/') && !path.endsWith('.test.ts')).filter((path) =>
        /from 'vitest'/.test(textOf(path) ?? ''),
      ),
    ).toEqual([]));
});

describe('code', () => {
  const never = (why: string, pattern: RegExp, paths: readonly string[]) =>
    it(why, () => expect(linesWith(pattern, paths)).toEqual([]));

  never('what is exported is exported where it is defined', /^\s*export\s+(type\s+)?(\*|\{[^}]*\}\s*from)/, CODE);
  never('exports have names', /^\s*export\s+default\b/, CODE);
  never(
    'only main.ts exits: elsewhere it would skip every undo',
    /\bprocess\.exit\(/,
    SOURCES.filter((path) => path !== 'src/main.ts'),
  );
  never('our own modules are never mocked', /\bvi\.(mock|doMock|hoisted|stubGlobal)\(/, TESTS);
  never(
    'no test is skipped, singled out or left to do',
    /\b(it|test|describe|suite)\.(skip|only|todo|skipIf|runIf|fails)\b/,
    TESTS,
  );
  never('there is one wait for a condition: until() of the laboratory', /\bvi\.(waitFor|waitUntil)\(/, TESTS);
  never('no test sleeps', /\bsetTimeout\((resolve|done)\b|\bsetTimeout\(\d/, TESTS);
});

describe('every tracked file', () => {
  it('names no folder of the machine that it was written on', () => {
    const machine = new RegExp(`(^|[\\s"'\`=(:])/(${['work', 'root', 'home/[a-z]', 'tmp/team'].join('|')})(/|\\b)`);
    expect(linesWith(machine, FILES)).toEqual([]);
  });

  it('names no package registry, which differs by machine', () => {
    const hosts = [
      'registry.npm',
      'npmjs.org',
      'proxy.golang',
      'sum.golang',
      'deb.debian',
      'pypi.org',
      'crates.io',
      'repo1.maven',
    ];
    const registry = new RegExp(hosts.map((host) => host.replaceAll('.', '\\.')).join('|'));
    expect(
      linesWith(
        registry,
        FILES.filter((path) => path !== 'test/layout.test.ts'),
      ),
    ).toEqual([]);
  });
});

function exportsFunctions(path: string): boolean {
  return /^export (async )?(function|class)\b|^export const \w+ = (async )?(\(|\w+ =>)/m.test(textOf(path) ?? '');
}

function mirrorsOf(path: string): readonly string[] {
  const stem = path.replace(/^src\//, 'test/').replace(/\.ts$/, '');
  return [`${stem}.test.ts`, `${stem}.kernel.test.ts`];
}

/** The files of this repository that a file imports. */
function importsOf(path: string): readonly string[] {
  const specifiers = (textOf(path) ?? '').matchAll(/\b(?:from|import|import\(|resolve\()\s*'(\.[^']*)'/g);
  return [...specifiers].map(([, specifier = '']) => join(dirname(path), specifier));
}

function linesWith(pattern: RegExp, paths: readonly string[]): readonly string[] {
  return paths.flatMap((path) =>
    (textOf(path) ?? '')
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim().slice(0, 120)}`] : [])),
  );
}

function lineCount(path: string): number {
  return (textOf(path) ?? '').split('\n').length - 1;
}

// Undefined for a deleted file that git still lists, and for one that is not text.
function textOf(path: string): string | undefined {
  try {
    const text = readFileSync(join(REPOSITORY, path), 'utf8');
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}
