import { families, type ClusterNode } from './two-nodes.ts';
import type { Bird } from './bird.ts';
import type { NodePod } from './pod.ts';
import { readRoutes } from './route.ts';
import { until } from '../until.ts';

/** Waits until the node's BIRD knows the pod's routes. */
export async function untilLearned(bird: Bird, pod: NodePod): Promise<void> {
  await until(`BIRD of ${pod.node.name} knows the routes of ${pod.name}`, async () => {
    const known = await bird.destinations().catch((): readonly string[] => []); // BIRD may not listen yet
    return hostRoutes(pod).every((destination) => known.includes(destination));
  });
}

/** Waits until the node's BIRD knows none of the pod's routes. */
export async function untilForgotten(bird: Bird, pod: NodePod): Promise<void> {
  await until(`BIRD of ${pod.node.name} has forgotten the routes of ${pod.name}`, async () => {
    const known = await bird.destinations();
    return !hostRoutes(pod).some((destination) => known.includes(destination));
  });
}

/**
 * Waits until BIRD has added routes on each node: blackholes for its own podCIDRs, and routes to those of the other
 * node.
 */
export async function untilExchanged(nodes: readonly ClusterNode[]): Promise<void> {
  const podCidrs = nodes.flatMap((node) => families().map(({ name }) => node.podCidrs[name]));
  for (const { name, machine } of nodes)
    await until(`${name} has BIRD's routes`, async () => {
      const routes = (await readRoutes(machine)).filter(({ protocol }) => protocol === 'bird');
      return podCidrs.every((podCidr) => routes.some(({ destination }) => destination === podCidr));
    });
}

// The routes to a pod, one for each family.
function hostRoutes({ addresses }: NodePod): readonly string[] {
  return families().map(({ name, hostLength }) => `${addresses[name]}/${hostLength}`);
}
