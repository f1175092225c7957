import Table from 'cli-table3';
import { escapeControls } from '../log/log-line.ts';
import { MAX_COLUMNS } from './terminal.ts';

/**
 * Formats a table as kubectl does: columns with two blanks between them, and no borders. It ends with a line break.
 *
 * @param maxColumns of a line; the widest columns are wrapped to fit. `any`: nothing is wrapped
 */
export function formatTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  maxColumns: number | 'any' = MAX_COLUMNS,
): string {
  const cells = rows.map((row) => row.map(escapeControls));
  const table = new Table({
    head: [...headings],
    chars: NO_BORDERS,
    style: { 'padding-left': 0, 'padding-right': 2, head: [], border: [] },
    ...(maxColumns !== 'any' && {
      colWidths: [...columnWidths([headings, ...cells], maxColumns + GAP)],
      wordWrap: true,
      wrapOnWordBoundary: false,
    }),
  });
  for (const row of cells) table.push([...row]);
  return `${table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')}\n`;
}

const GAP = 2;

/** The width of each column with its gap. The widest ones are reduced until all fit. */
function columnWidths(rows: readonly (readonly string[])[], maxColumns: number): readonly number[] {
  const widths = (rows[0] ?? []).map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)) + GAP);
  const sum = () => widths.reduce((total, width) => total + width, 0);
  while (sum() > maxColumns) {
    const widest = widths.indexOf(Math.max(...widths));
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

const NO_BORDERS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
};
