// npm run demo: attaches pods with the real executable, in a private network namespace, so that nothing of this machine
// changes. This part prepares what needs a network or the disk, and starts scripts/demo/inside.ts in the private
// namespace.
import { mkdtemp, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureExecutable } from '../build/up-to-date.ts';
import { findHostLocal } from '../test/lab/tools/find-host-local.ts';
import { toolProgressTo } from '../test/lab/tools/tool-progress.ts';
import { runScript } from './command-line/run-script.ts';
import {
  DEMO_OPTIONS,
  parseDemoArguments,
  USAGE,
  type ClusterArguments,
  type DemoArguments,
} from './demo/arguments.ts';
import { findChosenPod, type ChosenPod } from './demo/chosen-pod.ts';
import type { DemoParameters } from './demo/demo-parameters.ts';
import { watchInterrupts } from './demo/interrupts.ts';
import { startRelay } from './demo/relay.ts';
import { NO_NAMESPACE, startInPrivateNamespace } from './demo/start-in-private-namespace.ts';
import { formatSeconds, openStepReport, StepFailure } from './demo/step-report.ts';

const INTERRUPTED = 128 + constants.signals.SIGINT;

const startedMs = performance.now();
const interrupted = watchInterrupts({ parent: 'watched' });
const report = openStepReport(process.stdout, interrupted);

await runScript({ name: 'demo', usage: USAGE, options: DEMO_OPTIONS }, async ({ values }) => {
  const demo = parseDemoArguments(values, process.env['INIT_CWD'] ?? process.cwd());
  try {
    process.exitCode = await demonstrate(demo);
  } catch (error) {
    if (!(error instanceof StepFailure) && !interrupted.aborted) throw error;
    process.exitCode = interrupted.aborted ? INTERRUPTED : 1;
    if (interrupted.aborted) report.print('interrupted; nothing is left');
  }
});

async function demonstrate(demo: DemoArguments): Promise<number> {
  const executablePath = await report.step('build the executable, dist/podwire', async () => {
    const { path, outcome } = await ensureExecutable(interrupted);
    return { shown: `${path}, ${outcome}`, outcome: path };
  });
  const hostLocalPath = await report.step('find host-local, the IPAM plugin that allocates addresses', async () => {
    const path = await findHostLocal(showProgress());
    return { shown: path, outcome: path };
  });
  const programs = { executablePath, hostLocalPath };
  const exitCode =
    demo.kind === 'own-cluster' ? await runInside({ ...programs, cluster: null }) : await runWithPod(demo, programs);
  if (exitCode === 0) {
    report.print(`done in ${formatSeconds(performance.now() - startedMs)}; nothing is left but dist/`);
  }
  return exitCode;
}

async function runWithPod(
  demo: ClusterArguments,
  programs: Pick<DemoParameters, 'executablePath' | 'hostLocalPath'>,
): Promise<number> {
  const name = `${demo.pod.namespace}/${demo.pod.name}`;
  const chosen = await report.step(`read pod ${name} from the cluster of ${demo.kubeconfigPath}`, async () => {
    const pod = await findChosenPod(demo);
    const { serverText, podCidrNodeName, podCidrs } = pod.parameters;
    return { shown: `${serverText}, node ${podCidrNodeName}, podCIDRs ${podCidrs.join(', ')}`, outcome: pod };
  });
  report.warn(
    `This WRITES to your cluster: the annotations cni.projectcalico.org/containerID, podIP and podIPs of pod ${name}.\n` +
      "For some seconds, a policy agent sees the demo's address there. At the end, the demo restores their present values.",
  );
  interrupted.throwIfAborted();
  const folder = await mkdtemp(join(visibleTemporaryFolder(), 'podwire-demo-'));
  try {
    const socketPath = join(folder, 'api');
    const { host, port } = chosen.connection.server;
    await using relays = new AsyncDisposableStack();
    relays.use(await startRelay({ path: socketPath }, { host, port }));
    return await runInside({ ...programs, cluster: { ...chosen.parameters, socketPath } });
  } finally {
    await rm(folder, { recursive: true, force: true });
    await restoreAnnotations(chosen, name);
  }
}

// Not a step, because no step starts after an interrupt: this also runs then, and when the process inside was killed.
async function restoreAnnotations(chosen: ChosenPod, name: string): Promise<void> {
  try {
    const count = await chosen.restore();
    report.print(`pod ${name}: ${count === 0 ? 'annotations unchanged' : `${count} annotations restored`}`);
  } catch (error) {
    report.warn(`pod ${name}: annotations NOT restored: ${error instanceof Error ? error.message : String(error)}`);
    throw new StepFailure('restore annotations', { cause: error });
  }
}

async function runInside(parameters: Omit<DemoParameters, 'requestedAtMs'>): Promise<number> {
  const exitCode = await startInPrivateNamespace({
    program: join(import.meta.dirname, 'demo/inside.ts'),
    args: [],
    input: `${JSON.stringify({ ...parameters, requestedAtMs: Date.now() })}\n`,
    interrupted,
  });
  if (exitCode === NO_NAMESPACE) report.warn('FAILED: no private namespace could be created; see the reason above');
  return exitCode === 0 ? 0 : 1;
}

// The private namespace hides /run and /var/lib.
function visibleTemporaryFolder(): string {
  return /^\/(run|var\/run|var\/lib)(\/|$)/.test(tmpdir()) ? '/tmp' : tmpdir();
}

// Where it was found is what the step shows at its end.
function showProgress(): ReturnType<typeof toolProgressTo> {
  const show = toolProgressTo(process.stderr);
  return (progress) => (progress.stage === 'found' ? undefined : show(progress));
}
