import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { isReady, untilReady } from '../../src/system/readiness.ts';

describe('a pipe', () => {
  let fd: number;
  beforeEach(() => {
    const folder = mkdtempSync(join(tmpdir(), 'podwire-test-'));
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    fd = openSync(join(folder, 'pipe'), constants.O_RDWR);
    return () => {
      closeSync(fd);
      rmSync(folder, { recursive: true });
    };
  });

  it('is ready for writing while it has room', () => expect(isReady({ fd, readiness: 'writable' })).toBe(true));
  it('is ready for reading once it has bytes', () => {
    expect(isReady({ fd, readiness: 'readable' })).toBe(false);
    writeSync(fd, 'a');
    expect(isReady({ fd, readiness: 'readable' })).toBe(true);
  });
  it('ends a wait when bytes arrive', async () => {
    const waiting = untilReady([{ fd, readiness: 'readable' }], 60_000);
    writeSync(fd, 'a');
    await expect(waiting).resolves.toBeUndefined();
  });
  it('ends a wait for one of several states', async () => {
    const both = (['readable', 'writable'] as const).map((readiness) => ({ fd, readiness }));
    await expect(untilReady(both, 60_000)).resolves.toBeUndefined();
  });
  it('without bytes ends a wait when its time is over', async () =>
    expect(untilReady([{ fd, readiness: 'readable' }], 1)).resolves.toBeUndefined());
});
