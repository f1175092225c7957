import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { observeDenials, parseDenials } from '../../../src/cli/observe/observe-denials.ts';
import { openNodeFiles } from '../../../src/cli/observe/node-files.ts';

const avc = (id: string, rest: string) =>
  `type=AVC msg=audit(1795867200.250:${id}): avc:  denied  ${rest} scontext=system_u:system_r:container_runtime_t:s0 tcontext=system_u:object_r:user_home_t:s0 tclass=file permissive=0`;
const EXECUTE = avc('7', '{ execute } for  pid=812 comm="containerd" name="podwire" dev="vda1" ino=12');
const DENIED = { atMs: 1_795_867_200_250, label: 'system_u:object_r:user_home_t:s0' };

describe('parseDenials', () => {
  it('an execution of podwire', () =>
    expect(parseDenials(`${EXECUTE}\n`)).toEqual([{ ...DENIED, what: 'execute', object: 'podwire' }]));
  it('what podwire itself may not, by its executable', () => {
    const line = avc('8', '{ write open } for  pid=9 comm="MainThread" path="/var/lib/podwire/a" dev="vda1" ino=3');
    const call =
      'type=SYSCALL msg=audit(1795867200.250:8): arch=c000003e syscall=257 exe="/opt/cni/bin/podwire" key=(null)';
    expect(parseDenials(`${line}\n${call}`)).toEqual([{ ...DENIED, what: 'write open', object: '/var/lib/podwire/a' }]);
  });
  it.each([
    ['of another program', avc('9', '{ read } for  pid=9 comm="nginx" name="podwire-not"')],
    ['that was only logged', EXECUTE.replace('permissive=0', 'permissive=1')],
    ['that is cut off', EXECUTE.slice(20)],
  ])('nothing of a denial %s', (_what, line) => expect(parseDenials(line)).toEqual([]));
});

describe('observeDenials', () => {
  it('reads the end of the log, and says if it cannot be seen', () => {
    const root = mkdtempSync(join(tmpdir(), 'podwire-denials-'));
    const files = openNodeFiles(root, {});
    expect(observeDenials(files)).toMatchObject({ kind: 'unseen', why: expect.stringContaining('from here') });
    mkdirSync(join(root, 'var/log/audit'), { recursive: true });
    writeFileSync(join(root, 'var/log/audit/audit.log'), `${'x'.repeat(600_000)}\n${EXECUTE}\n`);
    expect(observeDenials(files)).toMatchObject({ kind: 'seen', value: [{ what: 'execute' }] });
    rmSync(root, { recursive: true });
  });
});
