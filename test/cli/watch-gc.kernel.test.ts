import { mkdtempSync, rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseInterval, runWithGc } from '../../src/cli/watch-gc.ts';
import { until } from '../lab/until.ts';
import { cliIo } from '../support/commands/cli-io.ts';

describe('parseInterval', () => {
  it.each([
    [undefined, undefined],
    ['', undefined],
    ['0', undefined],
    ['60', 60],
    ['600', 600],
  ])('%j is %j', (text, expected) => expect(parseInterval(text)).toBe(expected));
  it.each(['59', '-1', '1e3', '10m', '9999999'])('%j is refused', (text) =>
    expect(() => parseInterval(text)).toThrow('GC_EVERY_SECONDS is invalid: expected 0 or a whole number of seconds'),
  );
});

describe('runWithGc', () => {
  it('without the variable it only runs the command', async () => {
    const captured = cliIo();
    expect([await runWithGc(captured.io, async () => 7), captured.stderr]).toEqual([7, '']);
  });

  it('an invalid variable is reported before the command begins', async () => {
    const captured = cliIo({ environment: { GC_EVERY_SECONDS: 'x' } });
    expect(await runWithGc(captured.io, async () => 7)).toBe(1);
    expect(captured.stderr).toMatch(/ ERROR GC_EVERY_SECONDS is invalid/);
  });

  it('what keeps it from working is a warning, and both end with the signal', async () => {
    const folder = mkdtempSync('/run/podwire-watch-gc-');
    const ending = new AbortController();
    const captured = cliIo({
      environment: { GC_EVERY_SECONDS: '60', CNI_NET_DIR: folder },
      listenForTermination: () => ending.signal,
    });
    const running = runWithGc(captured.io, ({ listenForTermination }) => {
      const signal = listenForTermination();
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve(0)));
    });
    await until('gc has reported', async () => captured.stderr.includes('WARNING gc: '));
    expect(captured.stderr).toContain('has no valid network configuration');
    ending.abort();
    expect(await running).toBe(0);
    rmSync(folder, { recursive: true });
  });
});
