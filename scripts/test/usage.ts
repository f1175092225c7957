import { CHECKS, PROJECTS } from './parts.ts';

/** What `npm test -- --help` prints. */
export function formatUsage(): string {
  const names = (rows: readonly { readonly name: string }[]) => rows.map(({ name }) => name).join(', ');
  return `usage: npm test                             everything, as CI does
       npm test -- PART... [VITEST OPTION...]

A part is one of these, or text in the paths of test files:
  checks    ${names(CHECKS)}
  projects  ${names(PROJECTS)}
"image" builds the image and the release, and tests them. What the tests of a part need is built first, if it is missing or stale.

  npm test -- typecheck lint unit            some parts
  npm test -- test/plan/drift.test.ts        one test file, in the project that it belongs to
  npm test -- src/plan/drift.ts              the tests of one source file
  npm test -- unit -t 'a podCIDR'            only tests whose name contains this
`;
}
