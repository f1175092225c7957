import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

/** Sees how much memory the machine uses while the main thread stands still in wait4. */
export interface MemoryWatch extends AsyncDisposable {
  /** The most since the last call beyond what was in use then, in MB. */
  takePeakMb(): number;
}

const SAMPLE_MS = 10;

/** Reads /proc/meminfo in a thread of its own. What other programs do meanwhile counts as well. */
export function openMemoryWatch(): MemoryWatch {
  const least = new Int32Array(new SharedArrayBuffer(4));
  let baseKb = availableKb();
  Atomics.store(least, 0, baseKb);
  const worker = new Worker(SAMPLER, { eval: true, workerData: { least, sampleMs: SAMPLE_MS } });
  return {
    takePeakMb() {
      const peakMb = Math.max(0, baseKb - Atomics.load(least, 0)) / 1024;
      baseKb = availableKb();
      Atomics.store(least, 0, baseKb);
      return peakMb;
    },
    async [Symbol.asyncDispose]() {
      await worker.terminate();
    },
  };
}

function availableKb(): number {
  return Number(/^MemAvailable: +(\d+)/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1] ?? 0);
}

const SAMPLER = `
const { readFileSync } = require('node:fs');
const { workerData: { least, sampleMs } } = require('node:worker_threads');
setInterval(() => {
  const available = Number(/^MemAvailable: +(\\d+)/m.exec(readFileSync('/proc/meminfo', 'utf8'))[1]);
  if (available < Atomics.load(least, 0)) Atomics.store(least, 0, available);
}, sampleMs);
`;
