import { matchesGlob } from 'node:path';

/** A command that passes or fails as a whole. */
export interface Check {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** Whether it takes minutes on a machine that has nothing yet. */
  readonly isSlow?: boolean;
}

/** What a project's tests need, made before they start. `tools` are the real programs that tests run podwire against. */
export type Need = 'tools' | 'executable' | 'image' | 'release';

/** Test files that run in one way: a project of vitest.config.ts. */
export interface Project {
  readonly name: string;
  /** Glob patterns, relative to the repository. `unit` runs every file that no other project matches. */
  readonly include: readonly string[];
  /** The command that runs vitest for it. */
  readonly within: readonly string[];
  readonly needs: readonly Need[];
  readonly environment: Readonly<Record<string, string>>;
  /** Whether only a script runs it (`npm run conformance`), and not `npm test`. */
  readonly isOnDemand?: true;
}

const npmScript = (name: string, ...options: readonly string[]) =>
  ['npm', 'run', '--silent', name, ...(options.length > 0 ? ['--', ...options] : [])] as const;
const IN_PRIVATE_NAMESPACE = ['scripts/in-private-namespace.sh', '--'] as const;
// Programs that a container runtime starts outlive it, but not this namespace. Needs root.
const IN_PROCESS_NAMESPACE = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'] as const;

/** In the order in which `npm test` runs them: the quick ones first, then the unit tests, then the slow ones. The last three make what the projects need. */
export const CHECKS: readonly Check[] = [
  { name: 'typecheck', command: npmScript('typecheck') },
  { name: 'lint', command: npmScript('lint') },
  { name: 'format', command: npmScript('format', '--check') },
  { name: 'unused', command: npmScript('unused') },
  { name: 'spelling', command: npmScript('spelling') },
  { name: 'build', command: npmScript('build', '--rehearsed'), isSlow: true },
  { name: 'tools', command: npmScript('tools'), isSlow: true },
  { name: 'image', command: npmScript('build:image', '--rehearsed'), isSlow: true },
];

/** In the order in which `npm test` runs them, which is the order of their speed. */
export const PROJECTS: readonly Project[] = [
  { name: 'unit', include: ['test/**/*.test.ts'], within: [], needs: [], environment: {} },
  {
    name: 'kernel',
    include: ['test/**/*.kernel.test.ts'],
    within: IN_PRIVATE_NAMESPACE,
    needs: ['tools'],
    environment: {},
  },
  {
    name: 'end-to-end',
    include: ['test/end-to-end/**/*.test.ts', 'test/build/{executable,reproducible,workflows,chart/chart}.test.ts'],
    within: IN_PRIVATE_NAMESPACE,
    needs: ['tools', 'executable'],
    environment: {},
  },
  {
    name: 'node',
    include: ['test/node/**/*.test.ts'],
    within: [...IN_PROCESS_NAMESPACE, ...IN_PRIVATE_NAMESPACE],
    needs: ['tools', 'executable', 'image', 'release'],
    environment: {},
  },
  {
    // Fetches Debian packages and Go modules, so it needs a network.
    name: 'image',
    include: ['test/build/image/image.test.ts', 'test/build/release/release.test.ts'],
    within: [],
    needs: ['tools', 'image', 'release'],
    environment: { PODWIRE_IMAGE: 'dist/podwire-image.tar' },
  },
  {
    name: 'conformance',
    include: ['test/conformance/**/*.test.ts'],
    within: [...IN_PROCESS_NAMESPACE, ...IN_PRIVATE_NAMESPACE],
    needs: ['tools', 'executable', 'image'],
    environment: {},
    isOnDemand: true,
  },
];

/** The patterns of one project, for vitest: `unit` has every file that no other project has. */
export function filesOf(name: string): { readonly include: string[]; readonly exclude: string[] } {
  const include = PROJECTS.filter((project) => project.name === name).flatMap((project) => project.include);
  const others = PROJECTS.filter((project) => project.name !== name && project.name !== 'unit');
  return { include, exclude: name === 'unit' ? others.flatMap((project) => project.include) : [] };
}

/** The name of the project that runs a test file. */
export function projectOf(path: string): string {
  const special = PROJECTS.find(
    ({ name, include }) => name !== 'unit' && include.some((pattern) => matchesGlob(path, pattern)),
  );
  return special?.name ?? 'unit';
}
