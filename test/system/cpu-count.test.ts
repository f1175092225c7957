import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { cpuCount } from '../../src/system/cpu-count.ts';

describe('the number of CPUs', () => {
  it('is that of this machine', () => expect(cpuCount()).toBe(cpus().length));
  it('is 1 if it is unknown', () => expect(cpuCount('/proc/none')).toBe(1));

  const counts = (text: string, count: number) =>
    it(`of ${JSON.stringify(text)} is ${count}`, () => {
      const folder = mkdtempSync(join(tmpdir(), 'podwire-cpus-'));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      writeFileSync(join(folder, 'online'), text);
      expect(cpuCount(join(folder, 'online'))).toBe(count);
    });
  counts('0\n', 1);
  counts('0-3\n', 4);
  counts('0-3,8,10-11\n', 7);
  counts('', 1);
  counts('none\n', 1);
});
