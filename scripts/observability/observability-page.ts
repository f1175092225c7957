/** The page that has the examples, from the repository on. */
export const OBSERVABILITY_PAGE = 'docs/observability.md';

/**
 * Replaces what is between the two markers of each example by its text, as a block of code.
 *
 * @throws {Error} if the page lacks the markers of an example, or has markers of another one
 */
export function withExamples(page: string, examples: Readonly<Record<string, string>>): string {
  const marked = [...page.matchAll(/<!-- begin ([\w-]+): /g)].map(([, name = '']) => name);
  const unknown = marked.filter((name) => !Object.hasOwn(examples, name));
  if (unknown.length > 0) throw new Error(`these examples do not exist: ${unknown.join(', ')}`);
  return Object.entries(examples).reduce((text, [name, example]) => {
    const begin = `<!-- begin ${name}: written by npm run docs:observability -->\n`;
    const end = `<!-- end ${name} -->`;
    const [before, rest] = text.split(begin);
    const after = rest?.split(end)[1];
    if (before === undefined || after === undefined) throw new Error(`the page lacks the markers of ${name}`);
    return `${before}${begin}\n\`\`\`\n${example.trimEnd()}\n\`\`\`\n\n${end}${after}`;
  }, page);
}
