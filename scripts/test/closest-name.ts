/** The name that needs the fewest changes of one character to become `word`. */
export function closestName(word: string, names: readonly [string, ...string[]]): string {
  return names.reduce((best, name) => (distance(word, name) < distance(word, best) ? name : best));
}

// Levenshtein's distance: insertions, deletions and replacements of one character.
function distance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [row, character] of Array.from(from).entries()) {
    const current = [row + 1];
    for (const [column, other] of Array.from(to).entries()) {
      const replaced = (previous[column] ?? 0) + (character === other ? 0 : 1);
      current.push(Math.min(replaced, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    previous = current;
  }
  return previous.at(-1) ?? 0;
}
