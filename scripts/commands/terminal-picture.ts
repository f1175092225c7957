const COLORS: Readonly<Record<string, string>> = {
  '31': '#f47067',
  '32': '#57ab5a',
  '33': '#c69026',
  '36': '#39c5cf',
  '1': '#e6edf3',
  '2': '#768390',
};
const [CHARACTER_WIDTH, LINE_HEIGHT, PADDING, TITLE_HEIGHT] = [7.82, 17, 14, 28];

/**
 * Draws what a terminal shows as SVG: the command, and its output with the colors of ANSI escape sequences.
 *
 * @param output lines of at most that many columns
 */
export function drawTerminal(command: string, output: string, columns = 80): string {
  const lines = output.replaceAll('\r', '').trimEnd().split('\n');
  const width = Math.ceil(columns * CHARACTER_WIDTH + 2 * PADDING);
  const height = Math.ceil((lines.length + 1) * LINE_HEIGHT + 2 * PADDING + TITLE_HEIGHT);
  const y = (index: number) => TITLE_HEIGHT + PADDING + (index + 1) * LINE_HEIGHT - 4;
  const row = (index: number, content: string) =>
    `<text x="${PADDING}" y="${y(index)}" xml:space="preserve">${content}</text>`;
  const dots = ['#f47067', '#c69026', '#57ab5a'].map(
    (color, index) => `<circle cx="${PADDING + 6 + index * 18}" cy="15" r="5" fill="${color}"/>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escape(command)}</title>`,
    `<rect width="${width}" height="${height}" rx="8" fill="#1c2128"/>`,
    ...dots,
    `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13" fill="#adbac7">`,
    row(0, `<tspan fill="#57ab5a">$</tspan> <tspan fill="#e6edf3">${escape(command)}</tspan>`),
    ...lines.map((line, index) => row(index + 1, colored(line))),
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

function colored(line: string): string {
  let color: string | undefined;
  return line
    .split(/(\u001B\[[\d;]*m)/)
    .map((part) => {
      const [, code] = /^\u001B\[([\d;]*)m$/.exec(part) ?? [];
      if (code === undefined)
        return part === '' ? '' : color === undefined ? escape(part) : `<tspan fill="${color}">${escape(part)}</tspan>`;
      color = COLORS[code];
      return '';
    })
    .join('');
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
