/** Breaks text into lines of at most `width` characters, at spaces. A longer word is cut, after a separator if it has one. */
export function wrapText(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    if (line !== '' && line.length + 1 + word.length <= width) line += ` ${word}`;
    else {
      if (line !== '') lines.push(line);
      line = word;
    }
    while (line.length > width) {
      const end = breakIn(line.slice(0, width)) ?? width;
      lines.push(line.slice(0, end));
      line = line.slice(end);
    }
  }
  return line === '' && lines.length > 0 ? lines : [...lines, line];
}

/** Where to break a long word: after a separator of a path or a name in its second half. */
function breakIn(word: string): number | undefined {
  const end = Math.max(...['/', '@', ','].map((separator) => word.lastIndexOf(separator))) + 1;
  return end > word.length / 2 ? end : undefined;
}

/**
 * Breaks a shell command into lines that a shell reads as the same command: at spaces with a backslash, and within JSON in
 * quotation marks after a comma, where JSON allows white space.
 *
 * @param indent of all lines but the first
 */
export function wrapCommand(command: string, width: number, indent: string): readonly string[] {
  const lines: string[] = [];
  let line = '';
  const pieces = splitCommand(command);
  for (const { text, isQuoted } of pieces) {
    const room = width - (lines.length === 0 ? 0 : indent.length) - (isQuoted ? 0 : 2);
    if (line !== '' && line.length + text.length > room) {
      lines.push(isQuoted ? line : `${line.trimEnd()} \\`);
      line = text.trimStart();
    } else line += text;
  }
  lines.push(line);
  return lines.map((text, index) => (index === 0 ? text : `${indent}${text}`));
}

/**
 * Breaks a shell command into lines of at most `width` characters, also within a word or a text in quotation marks that is
 * longer. The lines must be printed without an indentation.
 */
export function breakCommand(command: string, width: number): readonly string[] {
  let isQuoted = false;
  return wrapCommand(command, width, '').flatMap((line) => {
    const lines: string[] = [];
    let rest = line;
    while (rest.length > width) {
      const part = rest.slice(0, width - 2);
      if (countQuotes(part) % 2 === 1) isQuoted = !isQuoted;
      lines.push(isQuoted ? `${part}'\\` : `${part}\\`);
      rest = `${isQuoted ? "'" : ''}${rest.slice(width - 2)}`;
      // The quotation mark that was added at the beginning of the next line counts there.
      if (isQuoted) isQuoted = false;
    }
    if (countQuotes(rest) % 2 === 1) isQuoted = !isQuoted;
    return [...lines, rest];
  });
}

function countQuotes(text: string): number {
  return text.split("'").length - 1;
}

interface Piece {
  readonly text: string;
  /** Whether it begins within quotation marks: then the break before it needs no backslash. */
  readonly isQuoted: boolean;
}

function splitCommand(command: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let text = '';
  let startsQuoted = false;
  let isQuoted = false;
  let isInString = false;
  const cut = () => {
    if (text !== '') pieces.push({ text, isQuoted: startsQuoted });
    text = '';
    startsQuoted = isQuoted;
  };
  for (let index = 0; index < command.length; index++) {
    const character = command[index] ?? '';
    const isEscaped = isQuoted && isInString && command[index - 1] === '\\';
    if (character === ' ' && !isQuoted) cut();
    text += character;
    if (character === "'") isQuoted = !isQuoted;
    if (isQuoted && character === '"' && !isEscaped) isInString = !isInString;
    if (isQuoted && !isInString && character === ',') cut();
  }
  cut();
  return pieces;
}
