import { SECTIONS, type KeyText } from './keys.ts';
import { typeOf } from './schema.ts';

/** The page that has the tables, from the repository on. */
export const CONFIGURATION_PAGE = 'docs/configuration.md';

/**
 * Replaces what is between the two markers of each section of the page by a table of its keys.
 *
 * @throws {Error} if the page lacks the markers of a section
 */
export function withKeyTables(page: string): string {
  return Object.entries(SECTIONS).reduce((text, [section, keys]) => {
    const [begin, end] = [
      `<!-- begin ${section}: written by npm run docs:configuration -->\n`,
      `<!-- end ${section} -->`,
    ];
    const [before, rest] = text.split(begin);
    const after = rest?.split(end)[1];
    if (before === undefined || after === undefined) throw new Error(`the page lacks the markers of ${section}`);
    return `${before}${begin}\n${formatKeys(keys)}\n\n${end}${after}`;
  }, page);
}

function formatKeys(keys: readonly KeyText[]): string {
  const rows = keys.map(({ key, unit, default: value, since, example, meaning }) =>
    [
      `\`${key}\``,
      `${typeOf(key)}${unit === undefined ? '' : `, in ${unit}`}`,
      value,
      since,
      `\`${example}\``,
      meaning,
    ].join(' | '),
  );
  return [
    '| key | type | default | since | example | meaning |',
    '|---|---|---|---|---|---|',
    ...rows.map((row) => `| ${row} |`),
  ].join('\n');
}
