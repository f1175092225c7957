// What `npm run demo` does inside scripts/in-private-namespace.sh; scripts/demo.ts starts it, gives it its orders as one line on
// stdin, and closes stdin to end it.
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { makeSandbox } from '../../test/lab/namespaces/network-namespace.ts';
import { assertPrivateNamespace } from '../../test/lab/namespaces/private-namespace.ts';
import { watchInterrupts } from './interrupts.ts';
import { parseOrders, type Orders } from './orders.ts';
import { openPlugin, type Attachment, type Plugin } from './plugin.ts';
import { chooseProbe } from './reachability.ts';
import { describeAttached, describeNothingLeft, observeNode, probeAll, type AttachedPod } from './scenes.ts';
import { podName, startClusterStage, startOwnStage, type Stage, type StagePod } from './stage.ts';
import { formatSeconds, openStepReport, StepFailure } from './step-report.ts';

const FOLDER = '/run/podwire-demo';
const PLUGINS = join(FOLDER, 'bin');

assertPrivateNamespace();
const interrupted = watchInterrupts({ parent: 'stdin' });
const report = openStepReport(process.stdout, interrupted);
try {
  await demonstrate(await readOrders());
} catch (error) {
  process.exitCode = 1;
  if (!(error instanceof StepFailure) && !interrupted.aborted) throw error;
} finally {
  process.stdin.destroy();
}

async function demonstrate(orders: Orders): Promise<void> {
  await using stack = new AsyncDisposableStack();
  await report.step('go into network and mount namespaces of our own; they play the node', () => makeNode(orders));
  const stage = stack.use(
    await report.step(orders.cluster === null ? 'start an API server' : 'relay to your API server', () =>
      setStage(orders),
    ),
  );
  const plugin = openPlugin(orders.executablePath, PLUGINS, stage);
  const before = await observeNode();

  const attached: AttachedPod[] = [];
  for (const pod of stage.pods) attached.push(await attach(pod, plugin, stack));
  await report.step('look at what is there now', async () => ({
    shown: await describeAttached(attached, stage),
    outcome: undefined,
  }));
  await report.step('send packets from node to pod, and between pods', async () => ({
    shown: await probeAll(attached, await chooseProbe()),
    outcome: undefined,
  }));

  for (const { attachment, result } of attached) {
    await report.step(`CHECK ${podName(attachment.pod)}: compare all of it with what ADD has said`, async () => {
      const { tookMs } = await plugin.run('CHECK', attachment, result);
      return { shown: `the plugin took ${formatSeconds(tookMs)}`, outcome: undefined };
    });
  }
  for (const { attachment, result } of attached) {
    await report.step(`DEL ${podName(attachment.pod)}: take all of it down`, async () => {
      const { tookMs } = await plugin.run('DEL', attachment, result);
      return { shown: `the plugin took ${formatSeconds(tookMs)}`, outcome: undefined };
    });
  }
  await report.step('look whether anything is left', async () => ({
    shown: await describeNothingLeft(attached, stage, before),
    outcome: undefined,
  }));
}

async function makeNode({ hostLocalPath, askedAtMs }: Orders) {
  // A copy, because a plugin that others than root could write is not run, and the demo's user is root only in here.
  await mkdir(PLUGINS, { recursive: true });
  const copy = join(PLUGINS, basename(hostLocalPath));
  await copyFile(hostLocalPath, copy);
  await chmod(copy, 0o755);
  // On a real node the agent switches this on. Of IPv4 the plugin does, interface by interface; IPv6 has only this switch.
  const forwarding = '/proc/sys/net/ipv6/conf/all/forwarding';
  if (existsSync(forwarding)) await writeFile(forwarding, '1');
  return { shown: `entered after ${formatSeconds(Date.now() - askedAtMs)}`, outcome: undefined };
}

async function setStage({ cluster }: Orders): Promise<{ shown: string; outcome: Stage }> {
  const stage = cluster === null ? await startOwnStage(FOLDER) : await startClusterStage(FOLDER, cluster);
  return { shown: stage.description, outcome: stage };
}

async function attach(pod: StagePod, plugin: Plugin, stack: AsyncDisposableStack): Promise<AttachedPod> {
  const sandbox = stack.use(await makeSandbox());
  const attachment: Attachment = { pod, containerId: randomBytes(32).toString('hex'), sandboxPath: sandbox.path };
  // Whatever comes in between; a second DEL finds nothing to do.
  stack.defer(async () => {
    await plugin.run('DEL', attachment).catch((error: unknown) => report.warn(String(error)));
  });
  const name = `ADD ${podName(pod)}: veth pair, addresses from host-local, routes, endpoint on the Pod`;
  const result = await report.step(name, async () => {
    const answer = await plugin.run('ADD', attachment);
    const shown = `${JSON.stringify(answer.result, undefined, 2)}\nthe plugin took ${formatSeconds(answer.tookMs)}`;
    return { shown, outcome: answer.result };
  });
  return { attachment, sandbox, result };
}

async function readOrders(): Promise<Orders> {
  let text = '';
  // Not `for await`, which would end stdin with the first line.
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  process.stdin.setEncoding('utf8').on('data', (part: string) => {
    text += part;
    if (text.includes('\n')) resolve(text);
  });
  process.stdin.once('end', () => reject(new Error('no orders came: use npm run demo')));
  return parseOrders(await promise);
}
