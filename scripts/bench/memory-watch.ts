import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

/** Samples how much memory the machine uses, also while the main thread is blocked in wait4. */
export interface MemoryWatch extends AsyncDisposable {
  /** Returns the highest use since the last call, above what was in use then, in MB. */
  takePeakMb(): number;
}

const SAMPLE_MS = 10;

/** Starts a thread that reads /proc/meminfo. Memory that other programs use in the meantime is included. */
export function openMemoryWatch(): MemoryWatch {
  const minAvailableKb = new Int32Array(new SharedArrayBuffer(4));
  let baseKb = availableKb();
  Atomics.store(minAvailableKb, 0, baseKb);
  const worker = new Worker(SAMPLER, { eval: true, workerData: { minAvailableKb, sampleMs: SAMPLE_MS } });
  return {
    takePeakMb() {
      const peakMb = Math.max(0, baseKb - Atomics.load(minAvailableKb, 0)) / 1024;
      baseKb = availableKb();
      Atomics.store(minAvailableKb, 0, baseKb);
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
const { workerData: { minAvailableKb, sampleMs } } = require('node:worker_threads');
setInterval(() => {
  const available = Number(/^MemAvailable: +(\\d+)/m.exec(readFileSync('/proc/meminfo', 'utf8'))[1]);
  if (available < Atomics.load(minAvailableKb, 0)) Atomics.store(minAvailableKb, 0, available);
}, sampleMs);
`;
