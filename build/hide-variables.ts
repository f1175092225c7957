/**
 * Environment variables by which the caller of the executable would change Node, before or while the program runs:
 *
 * - NODE_CHANNEL_FD: Node believes that another Node has started it, and ends if the descriptor is not a channel.
 * - NODE_REPL_EXTERNAL_MODULE: Node ends with exit status 9, because the executable ignores NODE_OPTIONS.
 * - NODE_EXTRA_CA_CERTS: Node reads the file at the first TLS connection, which can block, and warns about it.
 * - The others make Node print, or write files.
 */
const HIDDEN = [
  'NODE_CHANNEL_FD',
  'NODE_COMPILE_CACHE',
  'NODE_DEBUG', // and NODE_DEBUG_NATIVE
  'NODE_EXTRA_CA_CERTS',
  'NODE_REDIRECT_WARNINGS',
  'NODE_REPL_EXTERNAL_MODULE',
  'NODE_TEST_CONTEXT',
  'NODE_UNIQUE_ID',
  'NODE_V8_COVERAGE',
] as const;

/**
 * Renames these variables in a Node, so that it reads others, which are unused. They stay in the environment, for the
 * programs that podwire starts.
 *
 * A name is part of Node's own JavaScript, too. So the new one has the same length, and is an identifier.
 *
 * @throws {Error} if this Node does not contain one of the names
 */
export function hideVariables(node: Buffer): Buffer {
  const changed = Buffer.from(node);
  for (const name of HIDDEN) {
    let count = 0;
    for (let at = changed.indexOf(name); at >= 0; at = changed.indexOf(name, at + 1), count++) {
      changed.write(unusedName(name.length), at, 'latin1');
    }
    if (count === 0) throw new Error(`this Node does not contain ${name}: adapt build/hide-variables.ts`);
  }
  return changed;
}

function unusedName(length: number): string {
  return 'podwire_ignored'.padEnd(length, '_').slice(0, length);
}
