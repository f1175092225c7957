import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSysctl, writeSysctl } from '../../src/kernel/sysctl.ts';

const setting = (key: string, whenMissing: 'fail' | 'skip' = 'fail') =>
  ({ kind: 'write-sysctl', in: 'host', key, value: '1', whenMissing }) as const;

describe('a sysctl', () => {
  const withRoot = (action: (root: string) => void): void => {
    const root = mkdtempSync(join(tmpdir(), 'podwire-sysctl-'));
    try {
      mkdirSync(join(root, 'net/ipv4'), { recursive: true });
      writeFileSync(join(root, 'net/ipv4/ip_forward'), '0\n');
      action(root);
    } finally {
      rmSync(root, { recursive: true });
    }
  };

  it('is written', () =>
    withRoot((root) => {
      writeSysctl(setting('net/ipv4/ip_forward'), root);
      expect(readFileSync(join(root, 'net/ipv4/ip_forward'), 'utf8')).toMatch(/^1/);
    }));

  it('that is missing is an error and is not created', () =>
    withRoot((root) => {
      expect(() => writeSysctl(setting('net/ipv6/x'), root)).toThrow('ENOENT');
      expect(() => readFileSync(join(root, 'net/ipv6/x'))).toThrow('ENOENT');
    }));

  it('that is missing is skipped if the step says so', () =>
    withRoot((root) => expect(() => writeSysctl(setting('net/ipv6/x', 'skip'), root)).not.toThrow()));

  it('is read without its line end', () =>
    withRoot((root) => expect(readSysctl(setting('net/ipv4/ip_forward'), root)).toBe('0')));

  it('that is missing is read as undefined', () =>
    withRoot((root) => expect(readSysctl(setting('net/ipv6/x'), root)).toBeUndefined()));

  it('that cannot be read is an error', () =>
    withRoot((root) =>
      expect(() => readSysctl(setting('net/ipv4'), root)).toThrow(
        expect.objectContaining({ operation: 'read sysctl', object: 'net/ipv4 (host)', errnoName: 'EISDIR' }),
      ),
    ));

  const rejects = (why: string, key: string) =>
    it(`${why} is an error`, () =>
      withRoot((root) => {
        expect(() => writeSysctl(setting(key), root)).toThrow('EINVAL');
        expect(() => readSysctl(setting(key), root)).toThrow('EINVAL');
      }));
  rejects('outside net/', 'kernel/core_pattern');
  rejects('that climbs out of net/', 'net/../kernel/core_pattern');
});
