import { closestName } from './closest-name.ts';
import { CHECKS, PROJECTS, projectOf, type Check, type Need, type Project } from './parts.ts';

/** One step of a run. `prepare` makes something that the tests of a part need, unless it is up to date. */
export type TestStep =
  | { readonly kind: 'check'; readonly check: Check }
  | { readonly kind: 'prepare'; readonly need: Need }
  | { readonly kind: 'tests'; readonly project: Project; readonly vitestArguments: readonly string[] };

export type TestPlan =
  | { readonly kind: 'help' }
  | { readonly kind: 'usage-error'; readonly message: string }
  | { readonly kind: 'run'; readonly steps: readonly TestStep[]; readonly isFiltered: boolean };

/** The order in which they are made. */
const NEEDS: readonly Need[] = ['tools', 'executable', 'image', 'release'];

/**
 * Plans what `npm test -- PART... [OPTION...]` runs: everything if no part is named.
 *
 * @param args parts, then options for vitest from the first argument on that starts with `-`. A part is the name of a check or
 *   project, or text in the paths of test files. The path of a file below src/ stands for that of its tests.
 * @param testFiles every test file, relative to the repository
 */
export function planTests(args: readonly string[], testFiles: readonly string[]): TestPlan {
  if (args.includes('--help') || args.includes('-h')) return { kind: 'help' };
  const firstOption = args.findIndex((argument) => argument.startsWith('-'));
  const parts = firstOption < 0 ? args : args.slice(0, firstOption);
  const options = firstOption < 0 ? [] : args.slice(firstOption);
  const unknown = parts.find((part) => !isName(part) && filesOfPart(part, testFiles).length === 0);
  if (unknown !== undefined) return { kind: 'usage-error', message: explainUnknown(unknown) };
  if (parts.length === 0 && options.length === 0) return { kind: 'run', steps: planAll(), isFiltered: false };

  const tests = PROJECTS.flatMap((project) => planProject(project, parts, options, testFiles));
  if (tests.length === 0 && options.length > 0) {
    const message = `${options.join(' ')} is an option for tests: name a project or a test file before it`;
    return { kind: 'usage-error', message };
  }
  const checks = CHECKS.filter(({ name }) => parts.includes(name) && !isProject(name));
  const needs = NEEDS.filter((need) => tests.some(({ project }) => project.needs.includes(need)));
  const prepared = needs.filter((need) => !checks.some(({ name }) => name === need));
  return {
    kind: 'run',
    steps: [
      ...checks.map((check) => ({ kind: 'check', check }) as const),
      ...prepared.map((need) => ({ kind: 'prepare', need }) as const),
      ...tests,
    ],
    isFiltered: options.length > 0,
  };
}

function isName(part: string): boolean {
  return isProject(part) || CHECKS.some(({ name }) => name === part);
}

function isProject(part: string): boolean {
  return PROJECTS.some(({ name }) => name === part);
}

function filesOfPart(part: string, testFiles: readonly string[]): readonly string[] {
  const text = part.replace(/^\.\//, '').replace(/^src\/(.*)\.ts$/, 'test/$1.');
  return testFiles.filter((path) => path.includes(text));
}

function explainUnknown(part: string): string {
  const names = [...CHECKS, ...PROJECTS].map(({ name }) => name);
  const [first = '', ...others] = names;
  return `${part} is not a part, and no test file has it in its path: did you mean ${closestName(part, [first, ...others])}?`;
}

/** First what needs nothing but the sources, so that the first results come within a minute on any machine. */
function planAll(): readonly TestStep[] {
  const checks = (slow: boolean) =>
    CHECKS.filter(({ isSlow = false }) => isSlow === slow).map((check) => ({ kind: 'check', check }) as const);
  const tests = (independent: boolean) =>
    PROJECTS.filter(({ isOnDemand, needs }) => isOnDemand !== true && (needs.length === 0) === independent).map(
      (project) => ({ kind: 'tests', project, vitestArguments: [] }) as const,
    );
  return [...checks(false), ...tests(true), ...checks(true), { kind: 'prepare', need: 'release' }, ...tests(false)];
}

function planProject(
  project: Project,
  parts: readonly string[],
  options: readonly string[],
  testFiles: readonly string[],
): readonly Extract<TestStep, { kind: 'tests' }>[] {
  if (parts.includes(project.name)) return [{ kind: 'tests', project, vitestArguments: options }];
  const chosen = parts.filter((part) => !isName(part)).flatMap((part) => filesOfPart(part, testFiles));
  const files = [...new Set(chosen)].filter((path) => projectOf(path) === project.name);
  return files.length === 0 ? [] : [{ kind: 'tests', project, vitestArguments: [...files, ...options] }];
}
