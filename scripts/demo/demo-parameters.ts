import { memberOf } from './json-member.ts';

/** What scripts/demo.ts passes to scripts/demo/inside.ts in the private namespace, as one line of JSON. */
export interface DemoParameters {
  readonly executablePath: string;
  readonly hostLocalPath: string;
  /** When the private namespace was requested, as `Date.now()`. */
  readonly requestedAtMs: number;
  /** `null`: start an API server. */
  readonly cluster: UserClusterParameters | null;
}

/** The user's cluster, reached through a Unix socket. */
export interface UserClusterParameters {
  readonly socketPath: string;
  /** The server as the user's kubeconfig has it. */
  readonly serverText: string;
  readonly scheme: 'https' | 'http';
  readonly basePath: string;
  /** The members of the kubeconfig's cluster, except the server. */
  readonly kubeconfigCluster: Readonly<Record<string, string | boolean>>;
  readonly kubeconfigUser: Readonly<Record<string, string>>;
  readonly pod: { readonly namespace: string; readonly name: string; readonly uid: string };
  readonly nodeName: string;
  /** The node whose podCIDRs are used. */
  readonly podCidrNodeName: string;
  readonly podCidrs: readonly string[];
}

/**
 * Parses the line that scripts/demo.ts has written.
 *
 * @throws {Error} for any other line
 */
export function parseDemoParameters(line: string): DemoParameters {
  const value: unknown = JSON.parse(line);
  if (!isDemoParameters(value)) throw new Error('This is a part of the demo: use npm run demo.');
  return value;
}

// The writer is the same version of the same program, so two members are enough to recognize its line.
function isDemoParameters(value: unknown): value is DemoParameters {
  return typeof memberOf(value, 'executablePath') === 'string' && memberOf(value, 'cluster') !== undefined;
}
