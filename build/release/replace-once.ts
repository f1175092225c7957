/**
 * Replaces text that occurs once.
 *
 * @throws {Error} if it occurs never or more often: what is replaced has changed, and so must its replacement
 */
export function replaceOnce(text: string, search: string, replacement: string): string {
  const [before = '', after, ...more] = text.split(search);
  if (after === undefined || more.length > 0) {
    throw new Error(`${JSON.stringify(search)} occurs ${after === undefined ? 'never' : 'more than once'}`);
  }
  return `${before}${replacement}${after}`;
}
