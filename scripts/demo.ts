// Attaches pods with the executable, for real, where nothing of this machine can be touched:
//   npm run demo [-- --kubeconfig FILE --pod NAMESPACE/NAME [--node NAME] [--yes-overwrite]]
// This part makes ready what needs a network or the disk; scripts/demo/inside.ts goes on in the private namespace.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { findHostLocal } from '../test/lab/tools/find-host-local.ts';
import { toolProgressTo } from '../test/lab/tools/tool-progress.ts';
import { parseDemoArguments, USAGE, UsageError, type ClusterArguments } from './demo/arguments.ts';
import { findChosenPod, type ChosenPod } from './demo/chosen-pod.ts';
import { watchInterrupts } from './demo/interrupts.ts';
import type { Orders } from './demo/orders.ts';
import { startRelay } from './demo/relay.ts';
import { formatSeconds, openStepReport, StepFailure } from './demo/step-report.ts';
import { upToDateExecutable } from './demo/up-to-date-executable.ts';

const REPOSITORY = join(import.meta.dirname, '..');
// What scripts/in-private-namespace.sh ends with before it becomes the command.
const NO_NAMESPACE = 125;
const INTERRUPTED = 128 + constants.signals.SIGINT;

const startedMs = performance.now();
const interrupted = watchInterrupts({ parent: 'watched' });
const report = openStepReport(process.stdout, interrupted);
try {
  process.exitCode = await demonstrate();
} catch (error) {
  if (error instanceof UsageError) process.stderr.write(`${error.message}\n\n${USAGE}\n`);
  else if (!(error instanceof StepFailure) && !interrupted.aborted) throw error;
  process.exitCode = error instanceof UsageError ? 2 : interrupted.aborted ? INTERRUPTED : 1;
  if (interrupted.aborted) report.say('interrupted; nothing is left');
}

async function demonstrate(): Promise<number> {
  const demo = parseDemoArguments(process.argv.slice(2), process.env['INIT_CWD'] ?? process.cwd());
  if (demo.kind === 'help') {
    report.say(USAGE);
    return 0;
  }
  const executablePath = await report.step('make the executable, dist/podwire', async () => {
    const { path, wasThere } = await upToDateExecutable(interrupted);
    return { shown: `${path}, ${wasThere ? 'up to date' : 'built'}`, outcome: path };
  });
  const hostLocalPath = await report.step('find host-local, the IPAM plugin that hands out addresses', async () => {
    const path = await findHostLocal(progressOf());
    return { shown: path, outcome: path };
  });
  const programs = { executablePath, hostLocalPath };
  const exitCode =
    demo.kind === 'own-api' ? await runInside({ ...programs, cluster: null }) : await runWithCluster(demo, programs);
  if (exitCode === 0) report.say(`done in ${formatSeconds(performance.now() - startedMs)}; nothing is left but dist/`);
  return exitCode;
}

async function runWithCluster(
  demo: ClusterArguments,
  programs: Pick<Orders, 'executablePath' | 'hostLocalPath'>,
): Promise<number> {
  const name = `${demo.pod.namespace}/${demo.pod.name}`;
  const chosen = await report.step(`look at pod ${name} in the cluster of ${demo.kubeconfigPath}`, async () => {
    const pod = await findChosenPod(demo);
    const { serverText, podCidrNodeName, podCidrs } = pod.orders;
    return { shown: `${serverText}, node ${podCidrNodeName}, podCIDRs ${podCidrs.join(', ')}`, outcome: pod };
  });
  report.warn(
    `This WRITES to your cluster: the annotations cni.projectcalico.org/containerID, podIP and podIPs of pod ${name}.\n` +
      'For some seconds a policy agent sees the address of the demo there. Afterwards they are put back as they are now.',
  );
  interrupted.throwIfAborted();
  const folder = await mkdtemp(join(visibleTemporaryFolder(), 'podwire-demo-'));
  try {
    const socketPath = join(folder, 'api');
    const { host, port } = chosen.connection.server;
    await using relays = new AsyncDisposableStack();
    relays.use(await startRelay({ path: socketPath }, { host, port }));
    return await runInside({ ...programs, cluster: { ...chosen.orders, socketPath } });
  } finally {
    await rm(folder, { recursive: true, force: true });
    await putBack(chosen, name);
  }
}

// Also when interrupted, and when what ran inside was killed: so it is no step, which would not begin any more.
async function putBack(chosen: ChosenPod, name: string): Promise<void> {
  try {
    const count = await chosen.restore();
    report.say(`pod ${name}: annotations as they were${count === 0 ? '' : `, ${count} put back`}`);
  } catch (error) {
    report.warn(`pod ${name}: annotations NOT put back: ${error instanceof Error ? error.message : String(error)}`);
    throw new StepFailure('put back', { cause: error });
  }
}

async function runInside(orders: Omit<Orders, 'askedAtMs'>): Promise<number> {
  interrupted.throwIfAborted();
  const within = [join(REPOSITORY, 'scripts/in-private-namespace.sh'), '--'];
  const program = [process.execPath, join(REPOSITORY, 'scripts/demo/inside.ts')];
  const child = spawn('sh', [...within, ...program], { cwd: REPOSITORY, stdio: ['pipe', 'inherit', 'inherit'] });
  const ended = once(child, 'close');
  child.stdin.on('error', () => undefined); // it may have ended before it has read
  child.stdin.write(`${JSON.stringify({ ...orders, askedAtMs: Date.now() })}\n`);
  // The end of its stdin tells it to stop, also if this process is killed.
  interrupted.addEventListener('abort', () => child.stdin.end(), { once: true });
  if (interrupted.aborted) child.stdin.end();
  await ended;
  interrupted.throwIfAborted();
  if (child.exitCode === NO_NAMESPACE)
    report.warn('FAILED: no private namespace could be made; the reason stands above');
  return child.exitCode === 0 ? 0 : 1;
}

// The private namespace has its own /run and /var/lib.
function visibleTemporaryFolder(): string {
  return /^\/(run|var\/run|var\/lib)(\/|$)/.test(tmpdir()) ? '/tmp' : tmpdir();
}

// The step says where it was found.
function progressOf(): ReturnType<typeof toolProgressTo> {
  const show = toolProgressTo(process.stderr);
  return (progress) => (progress.stage === 'found' ? undefined : show(progress));
}
