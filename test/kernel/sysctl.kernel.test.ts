import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeSysctl } from '../../src/kernel/sysctl.ts';
import { assertPrivateNamespace } from '../lab/namespaces/private-namespace.ts';

const forwarding = (value: string) =>
  ({ kind: 'write-sysctl', in: 'host', key: 'net/ipv4/ip_forward', value, whenMissing: 'fail' }) as const;

it('if /proc/sys is read-only, writing the current value succeeds and another value is an error', () => {
  assertPrivateNamespace();
  const root = mkdtempSync(join(tmpdir(), 'podwire-sysctl-'));
  execFileSync('mount', ['-t', 'tmpfs', 'none', root]);
  try {
    mkdirSync(join(root, 'net/ipv4'), { recursive: true });
    writeFileSync(join(root, 'net/ipv4/ip_forward'), '1\n');
    execFileSync('mount', ['-o', 'remount,bind,ro', root]);
    writeSysctl(forwarding('1'), root);
    expect(() => writeSysctl(forwarding('0'), root)).toThrow(
      expect.objectContaining({ operation: 'write sysctl', errnoName: 'EROFS' }),
    );
  } finally {
    execFileSync('umount', [root]);
    rmSync(root, { recursive: true });
  }
});
