// The part of `npm run demo:two-nodes` that runs in the private namespace. scripts/demo-two-nodes.ts starts it with the
// paths of the executable, of host-local and, if it was found, of BIRD, and closes its stdin to stop it.
import { assertPrivateNamespace } from '../../../test/lab/namespaces/private-namespace.ts';
import { birdNames, startBird, type Bird } from '../../../test/lab/two-nodes/bird.ts';
import { untilExchanged, untilForgotten, untilLearned } from '../../../test/lab/two-nodes/learned.ts';
import { attachTo, observeTraces, type NodePod } from '../../../test/lab/two-nodes/pod.ts';
import { routeTo } from '../../../test/lab/two-nodes/route.ts';
import { families, startTwoNodes, type ClusterNode, type TwoNodes } from '../../../test/lab/two-nodes/two-nodes.ts';
import { watchInterrupts } from '../interrupts.ts';
import { chooseProbe } from '../reachability.ts';
import { openStepReport, StepFailure } from '../step-report.ts';
import { describeBgp, describeNodes, describeNothingLeft, describeReach, describeRoutes } from './tables.ts';

assertPrivateNamespace();
const interrupted = watchInterrupts({ parent: 'stdin' });
process.stdin.resume(); // otherwise its end is never reported
const report = openStepReport(process.stdout, interrupted);
try {
  const [executablePath, hostLocalPath, birdPath] = process.argv.slice(2);
  if (executablePath === undefined || hostLocalPath === undefined) {
    throw new Error('This is a part of the demo: use npm run demo:two-nodes.');
  }
  await demonstrate(executablePath, hostLocalPath, birdPath);
} catch (error) {
  process.exitCode = 1;
  if (!(error instanceof StepFailure) && !interrupted.aborted) throw error;
} finally {
  process.stdin.destroy();
}

async function demonstrate(executablePath: string, hostLocalPath: string, birdPath: string | undefined): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(
    await report.step(
      'create two nodes: network and mount namespaces, connected by a switch to each other and to an API server',
      async () => {
        const started = await startTwoNodes(hostLocalPath);
        return { shown: describeNodes(started), outcome: started };
      },
    ),
  );
  const before = await Promise.all(cluster.nodes.map(observeTraces));
  const pods: NodePod[] = [];
  for (const [index, name] of ['client', 'web'].entries()) {
    const node = cluster.nodes[index];
    if (node !== undefined) pods.push(stack.use(await attach(node, name, cluster, executablePath)));
  }
  await report.step(
    "show the routes: podwire adds those to the node's own pods; nothing leads to the other node's pods yet",
    async () => ({
      shown: await describeRoutes(cluster.nodes),
      outcome: undefined,
    }),
  );
  await showStaticRoutes(cluster, pods);
  if (birdPath === undefined) await detachAll(pods);
  else await showBird(birdPath, cluster, pods);
  await report.step('check that nothing is left', async () => ({
    shown: await describeNothingLeft(cluster.nodes, before),
    outcome: undefined,
  }));
}

async function attach(node: ClusterNode, name: string, cluster: TwoNodes, executablePath: string): Promise<NodePod> {
  return report.step(`ADD demo/${name} on ${node.name}`, async () => {
    const pod = await attachTo(node, name, cluster, executablePath);
    return { shown: `${pod.addresses.ipv4} ${pod.addresses.ipv6}, ${pod.hostInterface} on the node`, outcome: pod };
  });
}

// Option 2 of docs/install.md: Calico enforces policy only, and the user configures the routes between nodes.
async function showStaticRoutes({ nodes }: TwoNodes, pods: readonly NodePod[]): Promise<void> {
  await using routes = new AsyncDisposableStack();
  await report.step(
    "add static routes: on each node, one to the other node's podCIDR via that node's address",
    async () => {
      const [first, second] = nodes;
      routes.use(await routeTo(second, first));
      routes.use(await routeTo(first, second));
      return { shown: await describeRoutes(nodes), outcome: undefined };
    },
  );
  await showReach(nodes, pods);
  await report.step('remove the static routes', async () => {
    await routes.disposeAsync();
    return { outcome: undefined };
  });
}

// Option 1 of docs/install.md: BGP.
async function showBird(path: string, { nodes }: TwoNodes, pods: readonly NodePod[]): Promise<void> {
  await using birds = new AsyncDisposableStack();
  const started: { readonly bird: Bird; readonly pod: NodePod }[] = [];
  await report.step(
    'start BIRD on each node: one BGP session per address family, which advertises only the podCIDR',
    async () => {
      for (const pod of pods) {
        const peer = nodes.find((node) => node !== pod.node);
        if (peer !== undefined) started.push({ pod, bird: birds.use(await startBird(path, pod.node, peer)) });
      }
      for (const { bird, pod } of started) {
        await bird.established();
        await untilLearned(bird, pod);
      }
      await untilExchanged(nodes);
      return { shown: await describeBgp(started), outcome: undefined };
    },
  );
  await report.step(
    'show the routes: "proto bird" is from BGP, "proto boot" was added by podwire or by hand',
    async () => ({
      shown: await describeRoutes(nodes),
      outcome: undefined,
    }),
  );
  await showReach(nodes, pods);
  await detachAll(pods);
  await report.step("check that the pods' routes are gone from BIRD's tables", async () => {
    for (const { bird, pod } of started) await untilForgotten(bird, pod);
    const names = families().map(({ name }) => birdNames(name).kernel);
    return { shown: `gone from ${names.join(' and ')} of both nodes`, outcome: undefined };
  });
  await report.step('stop BIRD, which removes its own routes', async () => {
    await birds.disposeAsync();
    return { outcome: undefined };
  });
}

async function showReach(nodes: readonly ClusterNode[], pods: readonly NodePod[]): Promise<void> {
  await report.step('send packets between the nodes', async () => ({
    shown: await describeReach(nodes, pods, await chooseProbe()),
    outcome: undefined,
  }));
}

async function detachAll(pods: readonly NodePod[]): Promise<void> {
  for (const pod of pods) {
    await report.step(`DEL demo/${pod.name} on ${pod.node.name}`, async () => {
      await pod.detach();
      return { outcome: undefined };
    });
  }
}
