// The part of `npm run demo` that runs in the private namespace. scripts/demo.ts starts it, writes its parameters to
// its stdin as one line, and closes stdin to stop it.
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { makeSandbox } from '../../test/lab/namespaces/network-namespace.ts';
import { assertPrivateNamespace } from '../../test/lab/namespaces/private-namespace.ts';
import { describeAttached, describeNothingLeft, observeNode, probeAll, type AttachedPod } from './attached-pods.ts';
import { connectUserCluster, podName, startOwnCluster, type DemoCluster, type DemoPod } from './demo-cluster.ts';
import { parseDemoParameters, type DemoParameters } from './demo-parameters.ts';
import { watchInterrupts } from './interrupts.ts';
import { openPlugin, type Attachment, type Plugin } from './plugin.ts';
import { chooseProbe } from './reachability.ts';
import { formatSeconds, openStepReport, StepFailure } from './step-report.ts';

const FOLDER = '/run/podwire-demo';
const PLUGINS = join(FOLDER, 'bin');

assertPrivateNamespace();
const interrupted = watchInterrupts({ parent: 'stdin' });
const report = openStepReport(process.stdout, interrupted);
try {
  await demonstrate(await readParameters());
} catch (error) {
  process.exitCode = 1;
  if (!(error instanceof StepFailure) && !interrupted.aborted) throw error;
} finally {
  process.stdin.destroy();
}

async function demonstrate(parameters: DemoParameters): Promise<void> {
  await using stack = new AsyncDisposableStack();
  await report.step('enter private network and mount namespaces, which act as the node', () => makeNode(parameters));
  const clusterStep = parameters.cluster === null ? 'start an API server' : 'connect to your API server';
  const cluster = stack.use(await report.step(clusterStep, () => openDemoCluster(parameters)));
  const plugin = openPlugin(parameters.executablePath, PLUGINS, cluster);
  const before = await observeNode();

  const attached: AttachedPod[] = [];
  for (const pod of cluster.pods) attached.push(await attach(pod, plugin, stack));
  await report.step('show the interfaces, routes and annotations', async () => ({
    shown: await describeAttached(attached, cluster),
    outcome: undefined,
  }));
  await report.step('send packets from node to pod, and between pods', async () => ({
    shown: await probeAll(attached, await chooseProbe()),
    outcome: undefined,
  }));

  for (const { attachment, result } of attached) {
    await report.step(`CHECK ${podName(attachment.pod)}: compare all of it with the result of ADD`, async () => {
      const { tookMs } = await plugin.run('CHECK', attachment, result);
      return { shown: `the plugin took ${formatSeconds(tookMs)}`, outcome: undefined };
    });
  }
  for (const { attachment, result } of attached) {
    await report.step(`DEL ${podName(attachment.pod)}: remove all of it`, async () => {
      const { tookMs } = await plugin.run('DEL', attachment, result);
      return { shown: `the plugin took ${formatSeconds(tookMs)}`, outcome: undefined };
    });
  }
  await report.step('check that nothing is left', async () => ({
    shown: await describeNothingLeft(attached, cluster, before),
    outcome: undefined,
  }));
}

async function makeNode({ hostLocalPath, requestedAtMs }: DemoParameters) {
  // podwire only runs a delegate that no user but root can write. The demo's user is root in here, and owns the copy.
  await mkdir(PLUGINS, { recursive: true });
  const copy = join(PLUGINS, basename(hostLocalPath));
  await copyFile(hostLocalPath, copy);
  await chmod(copy, 0o755);
  // On a real node, the agent enables this. For IPv4 the plugin enables forwarding on each interface; IPv6 only has
  // this one setting.
  const forwarding = '/proc/sys/net/ipv6/conf/all/forwarding';
  if (existsSync(forwarding)) await writeFile(forwarding, '1');
  return { shown: `entered after ${formatSeconds(Date.now() - requestedAtMs)}`, outcome: undefined };
}

async function openDemoCluster({ cluster }: DemoParameters): Promise<{ shown: string; outcome: DemoCluster }> {
  const opened = cluster === null ? await startOwnCluster(FOLDER) : await connectUserCluster(FOLDER, cluster);
  return { shown: opened.description, outcome: opened };
}

async function attach(pod: DemoPod, plugin: Plugin, stack: AsyncDisposableStack): Promise<AttachedPod> {
  const sandbox = stack.use(await makeSandbox());
  const attachment: Attachment = { pod, containerId: randomBytes(32).toString('hex'), sandboxPath: sandbox.path };
  // Cleans up if a later step fails. After a successful DEL, this one finds nothing to do.
  stack.defer(async () => {
    await plugin.run('DEL', attachment).catch((error: unknown) => report.warn(String(error)));
  });
  const name = `ADD ${podName(pod)}: veth pair, addresses from host-local, routes, endpoint on the Pod`;
  const result = await report.step(name, async () => {
    const { result: added, tookMs } = await plugin.run('ADD', attachment);
    const shown = `${JSON.stringify(added, undefined, 2)}\nthe plugin took ${formatSeconds(tookMs)}`;
    return { shown, outcome: added };
  });
  return { attachment, sandbox, result };
}

async function readParameters(): Promise<DemoParameters> {
  let text = '';
  // `for await` would close stdin after the first line, and with it the way to stop this program.
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  process.stdin.setEncoding('utf8').on('data', (part: string) => {
    text += part;
    if (text.includes('\n')) resolve(text);
  });
  process.stdin.once('end', () => reject(new Error('This is a part of the demo: use npm run demo.')));
  return parseDemoParameters(await promise);
}
