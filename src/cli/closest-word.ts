/** The word that is most similar to a mistyped one: one with at most two typing errors, and fewer than half of its letters. */
export function closestWord(typed: string, words: readonly string[]): string | undefined {
  const [best] = words
    .map((word) => ({ word, errors: countErrors(typed.toLowerCase(), word.toLowerCase()) }))
    .filter(({ word, errors }) => errors <= 2 && errors * 2 < Math.max(word.length, typed.length))
    .toSorted((one, other) => one.errors - other.errors);
  return best?.word;
}

/** How many letters are missing, added, replaced, or exchanged with their neighbor (optimal string alignment). */
function countErrors(one: string, other: string): number {
  const rows: number[][] = [Array.from({ length: other.length + 1 }, (_, column) => column)];
  const at = (row: number, column: number): number => rows[row]?.[column] ?? 0;
  for (let row = 1; row <= one.length; row++) {
    const current = [row];
    rows.push(current);
    for (let column = 1; column <= other.length; column++) {
      const differs = one[row - 1] === other[column - 1] ? 0 : 1;
      const isExchanged =
        row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      current.push(
        Math.min(
          at(row - 1, column) + 1,
          at(row, column - 1) + 1,
          at(row - 1, column - 1) + differs,
          isExchanged ? at(row - 2, column - 2) + 1 : Infinity,
        ),
      );
    }
  }
  return at(one.length, other.length);
}
