// Runs one command and kills this process at a point. A later command must then clean up.
import { text } from 'node:stream/consumers';
import { runCommand } from '../commands/effects.ts';
import { actingAt } from '../commands/effects-points.ts';
import type { KillOrder } from './kill-order.ts';

const order: KillOrder = JSON.parse(await text(process.stdin));
const { environment, stdin, folder, point, moment } = order;
const die = (): void => void process.kill(process.pid, 'SIGKILL');
const wrap = point === undefined ? undefined : actingAt(point, moment, die);
const { error, outputs } = await runCommand(
  { environment, stdin: new TextEncoder().encode(stdin) },
  { folder, ...(wrap && { wrap }) },
);
process.stdout.write(outputs.join(''));
if (error !== undefined) throw error;
