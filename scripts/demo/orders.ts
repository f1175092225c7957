import { memberOf } from './json-member.ts';

/** What the demo's part outside the private namespace tells the part inside, as one line of JSON. */
export interface Orders {
  readonly executablePath: string;
  readonly hostLocalPath: string;
  /** When the private namespace was asked for, as `Date.now()`. */
  readonly askedAtMs: number;
  /** `null`: bring an API server along. */
  readonly cluster: ClusterOrders | null;
}

/** A cluster of the user's, reached by a Unix socket. */
export interface ClusterOrders {
  readonly socketPath: string;
  /** The server as the user's kubeconfig has it. */
  readonly serverText: string;
  readonly scheme: 'https' | 'http';
  readonly basePath: string;
  /** Cluster and user of the kubeconfig, the server left out. */
  readonly kubeconfigCluster: Readonly<Record<string, string | boolean>>;
  readonly kubeconfigUser: Readonly<Record<string, string>>;
  readonly pod: { readonly namespace: string; readonly name: string; readonly uid: string };
  readonly nodeName: string;
  /** The node whose podCIDRs are used. */
  readonly podCidrNodeName: string;
  readonly podCidrs: readonly string[];
}

/** @throws {Error} for a line that is none */
export function parseOrders(line: string): Orders {
  const value: unknown = JSON.parse(line);
  if (!isOrders(value)) throw new Error('started by hand: use npm run demo');
  return value;
}

// Made by the same version of the same program: that it is there says enough.
function isOrders(value: unknown): value is Orders {
  return typeof memberOf(value, 'executablePath') === 'string' && memberOf(value, 'cluster') !== undefined;
}
