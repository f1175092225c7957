import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** What the demo was asked for; without a kubeconfig it brings its own API server. */
export type DemoArguments = { readonly kind: 'help' } | { readonly kind: 'own-api' } | ClusterArguments;

export interface ClusterArguments {
  readonly kind: 'cluster';
  readonly kubeconfigPath: string;
  readonly pod: { readonly namespace: string; readonly name: string };
  /** `undefined`: the pod's own. */
  readonly nodeName: string | undefined;
  readonly mayOverwrite: boolean;
}

export const USAGE = `usage: npm run demo
       npm run demo -- --kubeconfig FILE --pod NAMESPACE/NAME [--node NAME] [--yes-overwrite]

Without arguments: two pods of an API server that the demo brings along.
  --kubeconfig FILE     use the API server of this kubeconfig instead
  --pod NAMESPACE/NAME  one of its pods; the demo WRITES the endpoint's annotations on it, and puts back what was there
  --node NAME           take the podCIDRs of this node; default: the pod's own node
  --yes-overwrite       also with a pod that has an endpoint already, or uses its node's network
Either way the interfaces are made in a private network namespace, never on this machine itself.`;

/** The words cannot be understood. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * The words behind `npm run demo --`.
 *
 * @param folder that a relative path starts from
 * @throws {UsageError}
 */
export function parseDemoArguments(words: readonly string[], folder: string): DemoArguments {
  const { kubeconfig, pod, node, help, 'yes-overwrite': mayOverwrite = false } = parseWords(words);
  if (help === true) return { kind: 'help' };
  if (kubeconfig === undefined && pod === undefined) {
    if (node !== undefined || mayOverwrite)
      throw new UsageError('--node and --yes-overwrite need --kubeconfig and --pod');
    return { kind: 'own-api' };
  }
  if (kubeconfig === undefined || pod === undefined) throw new UsageError('--kubeconfig and --pod need each other');
  const [, namespace, name] = /^([a-z0-9-]+)\/([a-z0-9.-]+)$/.exec(pod) ?? [];
  if (namespace === undefined || name === undefined) {
    throw new UsageError(`--pod ${JSON.stringify(pod)} is not NAMESPACE/NAME, such as default/web`);
  }
  return {
    kind: 'cluster',
    kubeconfigPath: resolve(folder, kubeconfig),
    pod: { namespace, name },
    nodeName: node,
    mayOverwrite,
  };
}

function parseWords(words: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: {
        kubeconfig: { type: 'string' },
        pod: { type: 'string' },
        node: { type: 'string' },
        'yes-overwrite': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    return values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
