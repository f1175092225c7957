import { resolve } from 'node:path';
import { UsageError, type ScriptArguments } from '../command-line/run-script.ts';

/** What the demo is to attach. */
export type DemoArguments = OwnClusterArguments | ClusterArguments;

/** The pods of an API server that the demo starts. */
export interface OwnClusterArguments {
  readonly kind: 'own-cluster';
}

/** A pod of the user's cluster. */
export interface ClusterArguments {
  readonly kind: 'user-cluster';
  readonly kubeconfigPath: string;
  readonly pod: { readonly namespace: string; readonly name: string };
  /** `undefined`: the pod's own node. */
  readonly nodeName: string | undefined;
  readonly mayOverwrite: boolean;
}

export const USAGE = `usage: npm run demo
       npm run demo -- --kubeconfig FILE --pod NAMESPACE/NAME [--node NAME] [--yes-overwrite]

Without options, the demo starts its own API server and attaches two pods.
  --kubeconfig FILE     use the cluster of this kubeconfig instead
  --pod NAMESPACE/NAME  attach this pod of the cluster. The demo OVERWRITES the pod's three endpoint annotations, and
                        restores them at the end
  --node NAME           use the podCIDRs of this node (the pod's own node)
  --yes-overwrite       also accept a pod that already has an endpoint, or that uses its node's network
In both cases the interfaces are created in a private network namespace, never on this machine itself.
`;

export const DEMO_OPTIONS = {
  kubeconfig: { type: 'string' },
  pod: { type: 'string' },
  node: { type: 'string' },
  'yes-overwrite': { type: 'boolean' },
} as const;

/**
 * Checks the options of `npm run demo`.
 *
 * @param folder that a relative path starts from
 * @throws {UsageError}
 */
export function parseDemoArguments(
  options: ScriptArguments<typeof DEMO_OPTIONS>['values'],
  folder: string,
): DemoArguments {
  const { kubeconfig, pod, node, 'yes-overwrite': mayOverwrite = false } = options;
  if (kubeconfig === undefined && pod === undefined) {
    if (node !== undefined || mayOverwrite) {
      throw new UsageError('--node and --yes-overwrite require --kubeconfig and --pod');
    }
    return { kind: 'own-cluster' };
  }
  if (kubeconfig === undefined || pod === undefined) {
    throw new UsageError('--kubeconfig and --pod require each other');
  }
  const [, namespace, name] = /^([a-z0-9-]+)\/([a-z0-9.-]+)$/.exec(pod) ?? [];
  if (namespace === undefined || name === undefined) {
    throw new UsageError(`--pod expects NAMESPACE/NAME, such as default/web, got ${JSON.stringify(pod)}`);
  }
  return {
    kind: 'user-cluster',
    kubeconfigPath: resolve(folder, kubeconfig),
    pod: { namespace, name },
    nodeName: node,
    mayOverwrite,
  };
}
