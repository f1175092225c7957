import { parseContainerId, parseInterfaceName } from './attachment-id.ts';
import { CniError, ERROR_CODE } from './error.ts';
import type { CniVersion } from './versions.ts';

/** The environment of the process. An empty variable counts as unset. */
export type Environment = Readonly<Record<string, string | undefined>>;

interface VerbRules {
  readonly requires: readonly string[];
  /** The first version of the protocol that has this verb. */
  readonly since: CniVersion;
}

/**
 * The values of CNI_COMMAND.
 *
 * @see SPEC.md 1.1.0, section 2, CNI operations
 */
export const VERBS = {
  ADD: { requires: ['CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME'], since: '0.1.0' },
  CHECK: { requires: ['CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME'], since: '0.4.0' },
  DEL: { requires: ['CNI_CONTAINERID', 'CNI_IFNAME'], since: '0.1.0' },
  GC: { requires: ['CNI_PATH'], since: '1.1.0' },
  STATUS: { requires: [], since: '1.1.0' },
  VERSION: { requires: [], since: '0.1.0' },
} as const satisfies Readonly<Record<string, VerbRules>>;

export type Verb = keyof typeof VERBS;

// The variables are checked in this order.
const FORMATS: readonly { readonly variable: string; readonly parse: (value: string) => unknown }[] = [
  { variable: 'CNI_CONTAINERID', parse: parseContainerId },
  { variable: 'CNI_IFNAME', parse: parseInterfaceName },
];

/** Parses CNI_COMMAND as a verb. `undefined` if it is not one. */
export function findVerb(command: string): Verb | undefined {
  return isVerb(command) ? command : undefined;
}

/**
 * Checks the variables that the command requires, and no others: libcni calls GC and STATUS with an empty
 * CNI_CONTAINERID, and an unknown command is an error only after the configuration has been read.
 *
 * @throws {CniError} invalidEnvironment (4) for a variable of the wrong format, otherwise for all missing ones together
 */
export function assertUsableEnvironment(environment: Environment): void {
  const command = environment['CNI_COMMAND'] ?? '';
  const required: readonly string[] = isVerb(command) ? VERBS[command].requires : [];
  for (const { variable, parse } of FORMATS) {
    const value = environment[variable] ?? '';
    if (required.includes(variable) && value !== '') parse(value);
  }
  const missing = ['CNI_COMMAND', ...required].filter((variable) => (environment[variable] ?? '') === '');
  if (missing.length === 0) return;
  throw new CniError(ERROR_CODE.invalidEnvironment, `required env variables [${missing.join(',')}] missing`, {
    details: 'a container runtime sets them; to call this plugin by hand, use cnitool',
  });
}

function isVerb(command: string): command is Verb {
  return Object.hasOwn(VERBS, command);
}
