// Two nodes on one machine, and how their pods reach each other, where nothing of this machine can be touched:
//   npm run demo:two-nodes
// This part makes ready what needs a network or the disk; scripts/demo/two-nodes/inside.ts goes on in the private namespace.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { join } from 'node:path';
import { ensureDebianProgram } from '../test/lab/tools/debian-program.ts';
import { findHostLocal } from '../test/lab/tools/find-host-local.ts';
import { toolProgressTo } from '../test/lab/tools/tool-progress.ts';
import { watchInterrupts } from './demo/interrupts.ts';
import { formatSeconds, openStepReport, StepFailure } from './demo/step-report.ts';
import { upToDateExecutable } from './demo/up-to-date-executable.ts';

const REPOSITORY = join(import.meta.dirname, '..');
const INTERRUPTED = 128 + constants.signals.SIGINT;

const startedMs = performance.now();
const interrupted = watchInterrupts({ parent: 'watched' });
const report = openStepReport(process.stdout, interrupted);
try {
  process.exitCode = await demonstrate();
} catch (error) {
  if (!(error instanceof StepFailure) && !interrupted.aborted) throw error;
  process.exitCode = interrupted.aborted ? INTERRUPTED : 1;
  if (interrupted.aborted) report.say('interrupted; nothing is left');
}

async function demonstrate(): Promise<number> {
  const executablePath = await report.step('make the executable, dist/podwire', async () => {
    const { path, wasThere } = await upToDateExecutable(interrupted);
    return { shown: `${path}, ${wasThere ? 'up to date' : 'built'}`, outcome: path };
  });
  const hostLocalPath = await report.step('find host-local, the IPAM plugin that hands out addresses', async () => {
    const show = toolProgressTo(process.stderr);
    const path = await findHostLocal((progress) => (progress.stage === 'found' ? undefined : show(progress)));
    return { shown: path, outcome: path };
  });
  const birdPath = await report.step('find BIRD, which exchanges routes by BGP', async () => {
    const path = await ensureDebianProgram('bird', (line) => report.say(line)).catch(() => undefined);
    const shown = path ?? 'not here, so the demo shows static routes alone (package bird2)';
    return { shown, outcome: path };
  });
  const isDone = await runInside([executablePath, hostLocalPath, ...(birdPath === undefined ? [] : [birdPath])]);
  if (isDone) report.say(`done in ${formatSeconds(performance.now() - startedMs)}; nothing is left but dist/`);
  return isDone ? 0 : 1;
}

async function runInside(words: readonly string[]): Promise<boolean> {
  interrupted.throwIfAborted();
  const within = [join(REPOSITORY, 'scripts/in-private-namespace.sh'), '--'];
  const program = [process.execPath, join(REPOSITORY, 'scripts/demo/two-nodes/inside.ts'), ...words];
  const child = spawn('sh', [...within, ...program], { cwd: REPOSITORY, stdio: ['pipe', 'inherit', 'inherit'] });
  const ended = once(child, 'close');
  child.stdin.on('error', () => undefined); // it may have ended
  // The end of its stdin tells it to stop, also if this process is killed.
  interrupted.addEventListener('abort', () => child.stdin.end(), { once: true });
  if (interrupted.aborted) child.stdin.end();
  await ended;
  interrupted.throwIfAborted();
  return child.exitCode === 0;
}
