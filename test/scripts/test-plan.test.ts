// cspell:ignore typechek
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CHECKS, filesOf, PROJECTS, projectOf } from '../../scripts/test/parts.ts';
import { planTests, type TestStep } from '../../scripts/test/test-plan.ts';
import { formatUsage } from '../../scripts/test/usage.ts';

const FILES = [
  'test/build/executable.test.ts',
  'test/commands/add.kernel.test.ts',
  'test/end-to-end/check.test.ts',
  'test/plan/drift.test.ts',
  'test/plan/drift-routes.test.ts',
];

const describeStep = (step: TestStep): string => {
  if (step.kind === 'check') return step.check.name;
  return step.kind === 'prepare' ? `prepare ${step.need}` : [step.project.name, ...step.vitestArguments].join(' ');
};

const plansFor = (args: readonly string[]) => {
  const plan = planTests(args, FILES);
  return plan.kind === 'run' ? plan.steps.map(describeStep) : [];
};

describe('the parts that are named decide what runs', () => {
  const runs = (why: string, args: readonly string[], ...steps: readonly string[]) =>
    it(why, () => expect(plansFor(args)).toEqual(steps));

  runs('a check runs alone', ['lint'], 'lint');
  runs('parts run in the order of the table', ['unit', 'lint', 'typecheck'], 'typecheck', 'lint', 'unit');
  runs('a project comes after what it needs', ['end-to-end'], 'prepare tools', 'prepare executable', 'end-to-end');
  runs('a part that makes what a project needs is not run twice', ['tools', 'kernel'], 'tools', 'kernel');
  runs(
    '"image" builds the image and the release, and tests them',
    ['image'],
    'prepare tools',
    'prepare image',
    'prepare release',
    'image',
  );
  runs('a test file runs in its project', ['test/plan/drift.test.ts'], 'unit test/plan/drift.test.ts');
  runs(
    'files of two projects run in each of them',
    ['check', 'add'],
    'prepare tools',
    'prepare executable',
    'kernel test/commands/add.kernel.test.ts',
    'end-to-end test/end-to-end/check.test.ts',
  );
  runs('a file of a project that is named runs once', ['unit', 'drift.test'], 'unit');
  runs('a file that two parts match runs once', ['plan/drift.', 'drift.test'], 'unit test/plan/drift.test.ts');
  runs('a source file stands for its own tests only', ['./src/plan/drift.ts'], 'unit test/plan/drift.test.ts');
  runs(
    'a source file stands for its kernel tests',
    ['src/commands/add.ts'],
    'prepare tools',
    'kernel test/commands/add.kernel.test.ts',
  );
  runs('options go to vitest, values that are names of parts included', ['unit', '-t', 'lint'], 'unit -t lint');

  it('without an argument everything runs, except the specs of Kubernetes, which have their own command', () => {
    const names = ['prepare release', ...[...CHECKS, ...PROJECTS].map(({ name }) => name)];
    expect(new Set(plansFor([]))).toEqual(new Set(names.filter((name) => name !== 'conformance')));
  });

  it('without an argument, what needs only the sources runs first', () =>
    expect(plansFor([]).slice(0, 7)).toEqual(['typecheck', 'lint', 'format', 'unused', 'spelling', 'unit', 'build']));

  it('an option makes skipped tests expected', () => {
    expect(planTests(['unit', '-t', 'name'], FILES)).toMatchObject({ isFiltered: true });
    expect(planTests(['unit'], FILES)).toMatchObject({ isFiltered: false });
  });
});

describe('wrong arguments are explained', () => {
  const explains = (why: string, args: readonly string[], message: string) =>
    it(why, () => expect(planTests(args, FILES)).toEqual({ kind: 'usage-error', message }));

  explains(
    'an unknown part, with the closest name',
    ['unit', 'typechek'],
    'typechek is not a part, and no test file has it in its path: did you mean typecheck?',
  );
  explains(
    'options without tests',
    ['lint', '-t', 'name'],
    '-t name is an option for tests: name a project or a test file before it',
  );
});

it('the help names every part', () => {
  expect(planTests(['unit', '--help'], FILES)).toEqual({ kind: 'help' });
  for (const { name } of [...CHECKS, ...PROJECTS]) expect(formatUsage()).toContain(name);
});

it('each test file of this repository belongs to exactly one project', () => {
  const repository = join(import.meta.dirname, '../..');
  const glob = (patterns: readonly string[]) => globSync([...patterns], { cwd: repository });
  const owned = PROJECTS.flatMap(({ name }) => {
    const { include, exclude } = filesOf(name);
    const excluded = new Set(glob(exclude));
    return glob(include)
      .filter((path) => !excluded.has(path))
      .map((path) => `${path}: ${name}`);
  });
  const files = glob(['test/**/*.test.ts']);
  expect(owned.toSorted()).toEqual(files.map((path) => `${path}: ${projectOf(path)}`).toSorted());
});
