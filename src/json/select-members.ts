/** The members to keep: `true` keeps a member as it is, an object keeps only these of its members. */
export interface Selection {
  readonly [name: string]: true | Selection;
}

/**
 * Shortens the text of a JSON object to the members that are needed.
 *
 * What is left out never enters V8's table of strings. Its hash function has a known seed, so that people who choose the text could
 * choose strings with the same hash, which take quadratic time to parse (docs/decisions/0022-flags-of-v8.md).
 *
 * @param text JSON. Of other text, this makes text that is not JSON either, or that has other members
 */
export function selectMembers(text: string, selection: Selection): string {
  const kept: string[] = [];
  selectFrom(text, skipSpace(text, 0), selection, kept);
  return kept.join('');
}

/** Keeps the selected members of the value at `start`, and returns where it ends. */
function selectFrom(text: string, start: number, selection: true | Selection, kept: string[]): number {
  if (selection === true || text[start] !== '{') {
    const end = endOfValue(text, start);
    kept.push(text.slice(start, end));
    return end;
  }
  kept.push('{');
  let separator = '';
  let position = skipSpace(text, start + 1);
  while (position < text.length && text[position] !== '}') {
    const nameEnd = endOfString(text, position);
    const [name, inner] = find(text.slice(position, nameEnd), selection) ?? [];
    const colon = skipSpace(text, nameEnd);
    const valueStart = skipSpace(text, colon + 1);
    if (name === undefined || inner === undefined) {
      position = endOfValue(text, valueStart);
    } else {
      kept.push(`${separator}${name}:`);
      separator = ',';
      position = selectFrom(text, valueStart, inner, kept);
    }
    position = skipSpace(text, position);
    if (text[position] === ',') position = skipSpace(text, position + 1);
  }
  kept.push('}');
  return position + 1;
}

// By comparison: looking the name up as a key would compute its hash and keep it.
function find(quotedName: string, selection: Selection): readonly [string, true | Selection] | undefined {
  for (const [name, inner] of Object.entries(selection)) {
    const quoted = JSON.stringify(name);
    if (quoted === quotedName) return [quoted, inner];
  }
  return undefined;
}

function endOfValue(text: string, start: number): number {
  if (text[start] === '"') return endOfString(text, start);
  if (text[start] !== '{' && text[start] !== '[') return nextMatch(/[\s,\]}]/g, text, start);
  let depth = 0;
  for (let position = start; position < text.length;) {
    position = nextMatch(/["[\]{}]/g, text, position);
    if (text[position] === '"') {
      position = endOfString(text, position);
      continue;
    }
    depth += text[position] === '{' || text[position] === '[' ? 1 : -1;
    position++;
    if (depth === 0) return position;
  }
  return text.length;
}

function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (text[quote - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return quote + 1;
  }
  return text.length;
}

function skipSpace(text: string, start: number): number {
  return nextMatch(/[^ \t\r\n]/g, text, start);
}

function nextMatch(pattern: RegExp, text: string, start: number): number {
  pattern.lastIndex = start;
  return pattern.exec(text)?.index ?? text.length;
}
