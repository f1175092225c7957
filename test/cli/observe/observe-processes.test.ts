import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { observeProcesses } from '../../../src/cli/observe/observe-processes.ts';

let proc = '';
beforeEach(() => void (proc = mkdtempSync(join(tmpdir(), 'podwire-proc-'))));
afterEach(() => rmSync(proc, { recursive: true }));
const add = (id: number, args: readonly string[], environment: readonly string[] = []) => {
  mkdirSync(join(proc, `${id}`));
  writeFileSync(join(proc, `${id}/cmdline`), `${args.join('\0')}\0`);
  writeFileSync(join(proc, `${id}/environ`), environment.join('\0'));
};

it('a folder without processes, and none', () => {
  const none = { agent: undefined, tokenWriters: [], timeService: undefined, hasBird: false };
  expect(observeProcesses(proc)).toEqual(none);
  expect(observeProcesses(join(proc, 'missing'))).toEqual(none);
});

it('the agent, with its environment', () => {
  add(7, ['/bin/calico-node', '-felix'], ['A=1', 'FELIX_INTERFACEPREFIX=eni', 'FELIX_IGNORELOOSERPF=true']);
  expect(observeProcesses(proc).agent).toEqual({ prefix: 'eni', ignoresLooseFilter: true });
});

it('those that write the token of Calico', () => {
  add(1, ['calico-node', '-monitor-token'], []);
  add(2, ['/opt/cni/bin/podwire', 'install', '--watch', '--as-calico']);
  add(3, ['/opt/cni/bin/podwire', 'install', '--watch']);
  expect(observeProcesses(proc).tokenWriters).toEqual([
    'calico-node -monitor-token',
    'podwire install --watch --as-calico',
  ]);
});

it('BIRD and the time service', () => {
  add(1, ['/usr/sbin/chronyd', '-n']);
  add(2, ['bird', '-c', 'x']);
  expect(observeProcesses(proc)).toMatchObject({ timeService: 'chronyd', hasBird: true });
});
