/**
 * The variables that still have an effect in the executable. NODE_EXTRA_CA_CERTS makes Node read a file at the first TLS
 * connection, which can block, and warn about it; the others print, or write files, or connect Node to a parent process.
 */
const VARIABLES_OF_NODE = [
  'NODE_EXTRA_CA_CERTS',
  'NODE_COMPILE_CACHE',
  'NODE_DEBUG',
  'NODE_DEBUG_NATIVE',
  'NODE_REDIRECT_WARNINGS',
  'NODE_TEST_CONTEXT',
  'NODE_UNIQUE_ID',
  'NODE_V8_COVERAGE',
];

/**
 * Returns the environment without the variables by which the caller's environment would change Node. Node has read them
 * before the program starts, so only a new start without them undoes that. It takes as long as the first start, but a
 * container runtime hardly ever has one of them.
 *
 * @returns undefined if there is nothing to remove
 */
export function cleanEnvironment(environment: Readonly<NodeJS.ProcessEnv>): NodeJS.ProcessEnv | undefined {
  if (!VARIABLES_OF_NODE.some((name) => environment[name] !== undefined)) return undefined;
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !VARIABLES_OF_NODE.includes(name)));
}
