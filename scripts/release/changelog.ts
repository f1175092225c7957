/** A section of CHANGELOG.md. */
export interface ChangelogSection {
  /** `undefined`: what is not released yet. */
  readonly version: string | undefined;
  /** YYYY-MM-DD */
  readonly date: string | undefined;
  readonly text: string;
}

const HEADING = /^## (?:Unreleased|(\d+\.\d+\.\d+) - (\d{4}-\d{2}-\d{2}))$/;

/**
 * Parses the sections of CHANGELOG.md, newest first.
 *
 * @throws {Error} for a heading that is neither `## Unreleased` nor `## X.Y.Z - YYYY-MM-DD`
 */
export function parseChangelog(text: string): readonly ChangelogSection[] {
  const sections = text.split(/^(?=## )/m).filter((section) => section.startsWith('## '));
  return sections.map((section) => {
    const [heading = '', ...lines] = section.split('\n');
    const [match, version, date] = HEADING.exec(heading) ?? [];
    if (match === undefined)
      throw new Error(`CHANGELOG.md: expected "## X.Y.Z - YYYY-MM-DD", got ${JSON.stringify(heading)}`);
    return { version, date, text: lines.join('\n').trim() };
  });
}

/**
 * The notes of a release, from its section.
 *
 * @throws {Error} if the release is not ready: it has no section, or something is unreleased
 */
export function releaseNotes(text: string, version: string): string {
  const sections = parseChangelog(text);
  const unreleased = sections.find((section) => section.version === undefined);
  if (unreleased !== undefined && unreleased.text !== '') {
    throw new Error(`CHANGELOG.md has unreleased changes: move them below "## ${version} - YYYY-MM-DD"`);
  }
  const section = sections.find((candidate) => candidate.version === version);
  if (section === undefined) throw new Error(`CHANGELOG.md has no section for ${version}`);
  return `${section.text}\n`;
}
