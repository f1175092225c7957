import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

// Plain English for comments, messages, names and pages: what to write instead of phrases that confused newcomers.

const REPOSITORY = join(import.meta.dirname, '..');
const FOLDERS = ['src', 'build', 'scripts', 'test', 'docs', 'cni-conf', 'README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'];
/** This file quotes the phrases, and the API of the agent is not written here. */
const NOT_OURS: ReadonlySet<string> = new Set(['test/language.test.ts', 'cni-conf/agent-crds/crds.yaml']);
const FILES = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...FOLDERS], {
  cwd: REPOSITORY,
})
  .toString()
  .split('\n')
  .filter((path) => /\.(ts|mjs|cjs|sh|md|ya?ml|json)$/.test(path) && !NOT_OURS.has(path));

interface Phrase {
  readonly pattern: RegExp;
  readonly instead: string;
}

const phrase = (pattern: RegExp, instead: string): Phrase => ({ pattern, instead });

const PHRASES: readonly Phrase[] = [
  phrase(/\b(is|are) wanted\b/i, 'expected: "expected an absolute path, got …"'),
  phrase(
    /(?<!\bthere )\b(is|are) no (?!more than\b|less than\b|longer\b)[a-z]+/i,
    '"is not a …", or "has no …" for absence',
  ),
  phrase(/(?<!\bthere )\b(is|are) none\b/i, '"is not a …", or "has no …" for absence'),
  phrase(/(?<!\buser )\bnobody('s|’s)?\b/, 'name the actor, or "ignored", "unused", "no process"'),
  phrase(/\bsomebody('s|’s)?\b/i, 'name the actor: "another process", "a caller"'),
  phrase(/\bwhoever\b/i, 'name the actor: "a caller that …", "every caller"'),
  phrase(/\bstranger('s|’s)\b/i, 'foreign'),
  phrase(/\banew\b/i, 'again'),
  phrase(/\bby itself\b/i, 'automatically'),
  phrase(/\bof (yours|today|its own|one's own)\b/i, '"your …", "current", "its own …" before the noun, or "separate"'),
  phrase(/\bstrange answer/i, 'unexpected response'),
  phrase(/\b(takes?|taken) along\b/i, 'include'),
  phrase(/\b(travels?) on\b/i, 'pass through'),
  phrase(/\bput right\b/i, 'correct, repair'),
  phrase(/\b(mends?|mended)\b/i, 'correct, repair'),
  phrase(/\bmay not be\b/i, 'cannot be, or "is not permitted to be"'),
  phrase(/\b(MOST|LEAST|LONGEST)_|_MOST\b/, 'MAX_, MIN_'),
];

/** Names that were replaced because no newcomer could guess them. */
const NAMES: readonly Phrase[] = [
  phrase(/\bletLeave\b/, 'yieldToEventLoop'),
  phrase(/\b(isUnderWay|underWay)\b/, 'isInProgress, inBackground'),
  phrase(/\bafterwards\(/, 'afterSettled'),
  phrase(/\brunForPerson\b/, 'runCli'),
  phrase(/\bmarksOf\b|\bunmarked\b/, 'findInterfacesByAlias, ifUnlabelled'),
  phrase(/\b(parse)?PodWishes\b/, 'PodOverrides'),
  phrase(/\b(open)?ApiShare\b/, 'ApiBudget'),
  phrase(/\brefuseOvertaken\b/, 'assertNotSuperseded'),
  phrase(/\breleaseKilledAdd\b/, 'cleanUpKilledAdd'),
  phrase(/\binKernel\b|\bkernel-refusal\b/, 'withKernelErrors, kernel-errors'),
  phrase(/\broute-in-the-way\b|\bisInTheWayOf\b/, 'conflicting-route, conflictsWith'),
  phrase(/\bAttachmentOnNode\b/, 'Detachment'),
  phrase(/\btakeTurn\b/, 'acquireSlot'),
  phrase(/\bStatusMemo\b/, 'StatusCache'),
  phrase(/\bTokenOrder\b/, 'TokenRequest'),
  phrase(/\bputWholeFile\b|\bclaimUnfinishedName\b/, 'writeFileAtomically, claimTemporaryName'),
  phrase(/\bstrangeAnswer\b/, 'unexpectedResponse'),
  phrase(/\bbent\b/, 'overrides'),
  phrase(/\baSecret\b/, 'secret'),
  phrase(/\bforAllTests\b/, 'useForAllTests'),
  phrase(/\bbeginsFresh\b/, 'startFresh'),
  phrase(/\bleavesNothing\b/, 'expectNoLeftovers'),
  phrase(/\bkernel-message-judge\b|\bencodeByJudge\b/, 'reference-encoder'),
];

/** `path:line: "phrase": write … instead` for each phrase in a text. */
function findPhrases(path: string, text: string, phrases: readonly Phrase[]): readonly string[] {
  const lines = text.split('\n');
  return phrases.flatMap(({ pattern, instead }) =>
    lines.flatMap((line, index) => {
      const [found] = pattern.exec(line) ?? [];
      return found === undefined ? [] : [`${path}:${index + 1}: "${found}": write ${instead} instead`];
    }),
  );
}

describe('the repository is written in plain English', () => {
  const isFree = (why: string, phrases: readonly Phrase[]) =>
    it(why, () => {
      const found = FILES.flatMap((path) => findPhrases(path, readFileSync(join(REPOSITORY, path), 'utf8'), phrases));
      expect(found).toEqual([]);
    });

  isFree('no text has a phrase that the table replaces', PHRASES);
  isFree('no code has a name that the table replaces', NAMES);
});

describe('a phrase', () => {
  const finds = (text: string, ...found: readonly string[]) =>
    it(text, () => {
      expect(findPhrases('a.ts', text, PHRASES).map((line) => /"(.*?)"/.exec(line)?.[1])).toEqual(found);
    });

  finds('text is wanted', 'is wanted');
  finds('that is no address', 'is no address');
  finds('there is no address');
  finds('it is no longer there');
  finds('a token that is none', 'is none');
  finds('nobody reads it, so it starts anew', 'nobody', 'anew');
  finds('the user nobody65534');
  finds('const MOST_BYTES = 5;', 'MOST_');

  it('is reported with its place and the replacement', () =>
    expect(findPhrases('a.ts', 'first\nstarts anew', PHRASES)).toEqual(['a.ts:2: "anew": write again instead']));
});
