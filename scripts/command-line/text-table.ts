/** A table of text. Each row has as many cells as the head. */
export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Formats a table for a terminal: columns of numbers are aligned to the right, all others to the left. */
export function formatTextTable(table: Table): string {
  const widths = columnWidths(table);
  const formatRow = (row: readonly string[]) => padCells(row, widths, table).join('  ').trimEnd();
  return [table.head, ...table.rows].map(formatRow).join('\n');
}

/** Formats a table for Markdown. Its source is aligned, too. */
export function formatMarkdownTable(table: Table): string {
  const escaped = { head: table.head.map(escapeCell), rows: table.rows.map((row) => row.map(escapeCell)) };
  const widths = columnWidths(escaped).map((width) => Math.max(width, 3));
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = widths.map((width, column) =>
    isNumeric(escaped, column) ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width),
  );
  const formatRow = (row: readonly string[]) => line(padCells(row, widths, escaped));
  return [formatRow(escaped.head), line(rule), ...escaped.rows.map(formatRow)].join('\n');
}

function padCells(row: readonly string[], widths: readonly number[], table: Table): readonly string[] {
  return row.map((cell, column) => {
    const width = widths[column] ?? 0;
    return isNumeric(table, column) ? cell.padStart(width) : cell.padEnd(width);
  });
}

function columnWidths({ head, rows }: Table): readonly number[] {
  return head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
}

function isNumeric({ rows }: Table, column: number): boolean {
  return rows.every((row) => /^(-|\d[\d,]*(\.\d+)?( ?[a-zA-Z%]+)?)$/.test(row[column] ?? ''));
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
