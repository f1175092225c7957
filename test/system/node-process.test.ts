import { uptime } from 'node:process';
import tls from 'node:tls';
import { expect, it } from 'vitest';
import { loadBuiltin, monotonicTime, processUptimeSeconds } from '../../src/system/node-process.ts';

it('a module of Node is loaded', () => expect(loadBuiltin('node:tls').rootCertificates).toBe(tls.rootCertificates));

it('the process has run for as long as Node says', () => {
  const before = uptime();
  expect(processUptimeSeconds()).toBeGreaterThanOrEqual(before);
});

it('the time is that since the boot, in seconds and nanoseconds', () => {
  const [seconds, nanoseconds] = monotonicTime();
  expect(BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds)).toBeLessThanOrEqual(process.hrtime.bigint());
});
