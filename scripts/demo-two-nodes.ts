// npm run demo:two-nodes: creates two nodes on one machine, and shows how their pods reach each other. Nothing of this
// machine changes. This part prepares what needs a network or the disk, and starts scripts/demo/two-nodes/inside.ts in
// the private namespace.
import { constants } from 'node:os';
import { join } from 'node:path';
import { ensureExecutable } from '../build/up-to-date.ts';
import { ensureDebianProgram } from '../test/lab/tools/debian-program.ts';
import { findHostLocal } from '../test/lab/tools/find-host-local.ts';
import { toolProgressTo } from '../test/lab/tools/tool-progress.ts';
import { runScript } from './command-line/run-script.ts';
import { watchInterrupts } from './demo/interrupts.ts';
import { startInPrivateNamespace } from './demo/start-in-private-namespace.ts';
import { formatSeconds, openStepReport, StepFailure } from './demo/step-report.ts';

const USAGE = `usage: npm run demo:two-nodes

Attaches a pod on each of two nodes, and sends packets between them: with static routes, then with BIRD, which exchanges
routes by BGP. The nodes are private namespaces; this machine's own network does not change.
`;

const INTERRUPTED = 128 + constants.signals.SIGINT;

const startedMs = performance.now();
const interrupted = watchInterrupts({ parent: 'watched' });
const report = openStepReport(process.stdout, interrupted);

await runScript({ name: 'demo:two-nodes', usage: USAGE, options: {} }, async () => {
  try {
    process.exitCode = await demonstrate();
  } catch (error) {
    if (!(error instanceof StepFailure) && !interrupted.aborted) throw error;
    process.exitCode = interrupted.aborted ? INTERRUPTED : 1;
    if (interrupted.aborted) report.print('interrupted; nothing is left');
  }
});

async function demonstrate(): Promise<number> {
  const executablePath = await report.step('build the executable, dist/podwire', async () => {
    const { path, outcome } = await ensureExecutable(interrupted);
    return { shown: `${path}, ${outcome}`, outcome: path };
  });
  const hostLocalPath = await report.step('find host-local, the IPAM plugin that allocates addresses', async () => {
    const show = toolProgressTo(process.stderr);
    const path = await findHostLocal((progress) => (progress.stage === 'found' ? undefined : show(progress)));
    return { shown: path, outcome: path };
  });
  const birdPath = await report.step('find BIRD, which exchanges routes by BGP', async () => {
    const path = await ensureDebianProgram('bird', (line) => report.print(line)).catch(() => undefined);
    const shown = path ?? 'not found, so the demo only shows static routes; install the package bird2';
    return { shown, outcome: path };
  });
  const exitCode = await startInPrivateNamespace({
    program: join(import.meta.dirname, 'demo/two-nodes/inside.ts'),
    args: [executablePath, hostLocalPath, ...(birdPath === undefined ? [] : [birdPath])],
    interrupted,
  });
  if (exitCode !== 0) return 1;
  report.print(`done in ${formatSeconds(performance.now() - startedMs)}; nothing is left but dist/`);
  return 0;
}
