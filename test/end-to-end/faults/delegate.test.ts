import { chmodSync, chownSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/json/json.ts';
import { fakeDelegate } from '../../support/delegates/fake-delegate.ts';
import { makeSandbox, type Sandbox } from '../../lab/namespaces/network-namespace.ts';
import { startLoopbackNode, type LoopbackNode } from '../../support/nodes/loopback-node.ts';
import type { NodeState } from '../../support/nodes/node-state.ts';
import { useForAllTests } from '../../support/suite/hooks.ts';

let node: LoopbackNode;
let sandbox: Sandbox;
let before: NodeState;
useForAllTests(async () => (node = await startLoopbackNode()));
useForAllTests(async () => (sandbox = await makeSandbox()));
beforeEach(async () => {
  before = await node.state();
  return () => node.run({ verb: 'DEL' }); // what a failed test has left must not affect the next test
});

interface Failure {
  readonly code: number;
  readonly message: RegExp;
  /** CNI_COMMAND of each call; `undefined`: the program was not run. */
  readonly calls?: readonly string[];
  readonly budgetMs?: number;
  readonly pluginPath?: string;
  /** False if its DEL fails, too: then a record stays, and the next DEL removes it. */
  readonly isReleased?: boolean;
}

async function expectNothingLeft(isReleased = true): Promise<void> {
  if (!isReleased) {
    expect(await node.state()).toEqual({ ...before, records: [expect.stringMatching(/^c1/)] });
    expect(await node.run({ verb: 'DEL', sandboxPath: sandbox.path })).toMatchObject({ exitCode: 0, stdout: '' });
  }
  expect(await node.state()).toEqual(before);
}

async function fails(
  script: string,
  { code, message, calls, budgetMs = 10_000, pluginPath, isReleased = true }: Failure,
): Promise<void> {
  const folder = fakeDelegate(script, { name: 'host-local' });
  try {
    const config = node.netconf({ budgets: { delegate_ms: budgetMs } });
    const ended = await node.run({ verb: 'ADD', sandboxPath: sandbox.path, config, pluginPath: pluginPath ?? folder });
    expect({ exitCode: ended.exitCode, code: ended.answer?.['code'] }).toEqual({ exitCode: 1, code });
    expect(ended.answer?.['msg']).toMatch(message);
    expect(ended.stdout.length).toBeLessThan(4000);
    if (calls !== undefined) expect(callsIn(folder)).toEqual(calls);
    expect(await sandbox.ip('link', 'show')).toHaveLength(1);
    await expectNothingLeft(isReleased);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function callsIn(folder: string): readonly string[] {
  const calls = readFileSync(join(folder, 'calls'), 'utf8')
    .split('\n')
    .flatMap((line) => /^[A-Z]+/.exec(line)?.[0] ?? []);
  return calls.slice(calls.indexOf('ADD')); // the calls before it release what an earlier test could not
}

const onAdd = (script: string) => `case $CNI_COMMAND in ADD) ${script} ;; esac`;
const prints = (result: JsonObject) => onAdd(`echo '${JSON.stringify({ cniVersion: '1.0.0', ...result })}'`);
const ADD_DEL = ['ADD', 'DEL'];

describe('an ADD whose delegate', () => {
  const says = (why: string, script: string, failure: Failure) =>
    it(why, () => expect(fails(script, failure)).resolves.toBeUndefined());
  says('is missing', '', {
    code: 102,
    message: /the IPAM plugin host-local is missing on this node; install it/,
    pluginPath: '/run/nowhere',
  });
  says('hangs is ended at its budget and released', onAdd('exec sleep 60'), {
    code: 11,
    message: /did not answer within 500 ms and was ended/,
    calls: ADD_DEL,
    budgetMs: 500,
  });
  says('hangs in a child that keeps its output open', onAdd('sleep 3 & wait'), {
    code: 11,
    message: /did not answer within 500 ms/,
    calls: ADD_DEL,
    budgetMs: 500,
  });
  says('hangs on ADD and on DEL', 'exec sleep 60', {
    code: 11,
    message: /did not answer within 300 ms/,
    calls: ADD_DEL,
    budgetMs: 300,
    isReleased: false,
  });
  says('prints nothing', 'true', {
    code: 102,
    message: /returned an invalid result: it is not a JSON object/,
    calls: ADD_DEL,
  });
  says('prints no JSON', onAdd('echo ok'), {
    code: 102,
    message: /invalid result: it is not a JSON object/,
    calls: ADD_DEL,
  });
  says('prints a JSON list', onAdd('echo "[]"'), {
    code: 102,
    message: /invalid result: it is not a JSON object/,
    calls: ADD_DEL,
  });
  says('prints a result of another shape', prints({ ips: 'none' }), {
    code: 102,
    message: /invalid result: .*ips/,
    calls: ADD_DEL,
  });
  says('prints 10 MB', onAdd('head -c 10485760 /dev/zero'), {
    code: 102,
    message: /printed more than 1048576 bytes/,
    calls: ADD_DEL,
  });
  says('dies by a signal', onAdd('kill -SEGV $$'), { code: 102, message: /was ended by SIGSEGV/, calls: ADD_DEL });
  says('exits with a status and no reason', onAdd('exit 3'), {
    code: 102,
    message: /ended with status 3 without a reason on stdout/,
    calls: ADD_DEL,
  });
  says('reports its own error', onAdd(`echo '{"code":112,"msg":"the moon is wrong","details":"d"}'; exit 1`), {
    code: 112,
    message: /^the moon is wrong$/,
    calls: ADD_DEL,
  });
  says('reports an error with an invalid code', onAdd(`echo '{"code":-1,"msg":"x"}'; exit 1`), {
    code: 102,
    message: /ended with status 1/,
    calls: ADD_DEL,
  });
  says('gives no address', prints({ ips: [] }), { code: 102, message: /it has no address/, calls: ADD_DEL });
  says('gives one family of two', prints({ ips: [{ address: '10.73.0.9/24' }] }), {
    code: 102,
    message: /no IPv6 address, which its ranges ask for/,
    calls: ADD_DEL,
  });
  says(
    'gives an address twice',
    prints({ ips: [{ address: '10.73.0.9/24' }, { address: 'fd73::9/64' }, { address: '10.73.0.9/32' }] }),
    { code: 102, message: /it has 10\.73\.0\.9 twice/, calls: ADD_DEL },
  );
  says('gives a malformed address', prints({ ips: [{ address: '10.73.0.999/24' }] }), {
    code: 102,
    message: /10\.73\.0\.999/,
    calls: ADD_DEL,
  });
  says('gives an IPv4-mapped address', prints({ ips: [{ address: '::ffff:10.73.0.9/128' }] }), {
    code: 102,
    message: /::ffff:10\.73\.0\.9/,
    calls: ADD_DEL,
  });
  says('gives an address with a zone', prints({ ips: [{ address: 'fe80::1%eth0/64' }] }), {
    code: 102,
    message: /fe80::1%eth0/,
    calls: ADD_DEL,
  });
  says('gives an address with leading zeros', prints({ ips: [{ address: '010.073.0.9/24' }] }), {
    code: 102,
    message: /010\.073\.0\.9/,
    calls: ADD_DEL,
  });
  says(
    'gives a malformed route',
    prints({ ips: [{ address: '10.73.0.9/24' }, { address: 'fd73::9/64' }], routes: [{ dst: 'everywhere' }] }),
    { code: 102, message: /everywhere/, calls: ADD_DEL },
  );

  it('gives the wrong family', async () => {
    const folder = fakeDelegate(prints({ ips: [{ address: 'fd73::9/64' }] }), { name: 'host-local' });
    const config = node.netconf({ ipam: { ranges: [[{ subnet: 'usePodCidr' }]] } });
    const { answer } = await node.run({ verb: 'ADD', sandboxPath: sandbox.path, config, pluginPath: folder });
    expect(answer).toMatchObject({
      code: 102,
      msg: expect.stringMatching(/no IPv4 address, which its ranges ask for|fd73::9, but no IPv6/),
    });
    expect(callsIn(folder)).toEqual(ADD_DEL);
    expect(await node.state()).toEqual(before);
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['is not executable', 0o644, /cannot be run|EACCES/],
    ['is writable by its group', 0o775, /is not run, because users other than root can change/, 1234],
    ['is writable by all', 0o757, /is not run, because users other than root can change/],
  ])('%s', async (_, mode, message, gid = 0) => {
    const folder = fakeDelegate('', { name: 'host-local', mode });
    chownSync(join(folder, 'host-local'), 0, gid);
    chmodSync(join(folder, 'host-local'), mode);
    const { exitCode, answer } = await node.run({ verb: 'ADD', sandboxPath: sandbox.path, pluginPath: folder });
    expect({ exitCode, code: answer?.['code'] }).toEqual({ exitCode: 1, code: 102 });
    expect(answer?.['msg']).toMatch(message);
    expect(() => callsIn(folder)).toThrow('ENOENT');
    await expectNothingLeft();
    rmSync(folder, { recursive: true });
  });

  it('is in a folder that others can write to is not run, because they could replace it', async () => {
    const folder = fakeDelegate('', { name: 'host-local' });
    chmodSync(folder, 0o777);
    const { answer } = await node.run({ verb: 'ADD', sandboxPath: sandbox.path, pluginPath: folder });
    expect(answer?.['msg']).toMatch(/is not run, because users other than root can change/);
    expect(() => callsIn(folder)).toThrow('ENOENT');
    rmSync(folder, { recursive: true });
  });

  it('comes after an unreadable folder in CNI_PATH is found', async () => {
    writeFileSync(join(node.folder, 'file'), '');
    const pluginPath = `/nowhere:${node.folder}/file:/${'a'.repeat(5000)}:${node.pluginPath}`;
    expect(await node.run({ verb: 'ADD', sandboxPath: sandbox.path, pluginPath })).toMatchObject({ exitCode: 0 });
    expect(await node.run({ verb: 'DEL', sandboxPath: sandbox.path, pluginPath })).toMatchObject({
      exitCode: 0,
      stdout: '',
    });
    expect(await node.state()).toEqual(before);
  });

  it('is host-local without a free address passes on its message and code', async () => {
    const subnet = { subnet: '10.74.0.0/30', rangeStart: '10.74.0.2', rangeEnd: '10.74.0.2' };
    const config = node.netconf({ name: 'small', ipam: { ranges: [[subnet]] } });
    await using other = await makeSandbox();
    const first = { sandboxPath: other.path, config, containerId: 'c0', interfaceName: 'net1' };
    expect(await node.run({ verb: 'ADD', ...first })).toMatchObject({ exitCode: 0 });
    const full = await node.state();
    const { answer } = await node.run({ verb: 'ADD', sandboxPath: sandbox.path, config });
    expect(answer).toMatchObject({
      code: 999,
      msg: expect.stringMatching(
        /no IP addresses available in range set: 10.74.0.2-10.74.0.2; 0 of 1 leases belong to containers that this node no longer knows \[PW\d{3}\]$/,
      ),
    });
    expect(await node.state()).toEqual(full);
    expect(await node.run({ verb: 'DEL', ...first })).toMatchObject({ exitCode: 0 });
    expect(await node.state()).toEqual(before);
  });
});

describe('a DEL whose delegate', () => {
  const DELEGATES = [
    ['fails', `echo '{"code":5,"msg":"disk on fire"}'; exit 1`, 5],
    ['hangs', 'exec sleep 60', 11],
    ['dies by a signal', 'kill -KILL $$', 102],
  ] as const;
  it.each(DELEGATES)('%s is an error that keeps the lease, and the next DEL releases it', async (_, script, code) => {
    const folder = fakeDelegate(script, { name: 'host-local' });
    const config = node.netconf({ budgets: { delegate_ms: 500 } });
    await using own = await makeSandbox();
    expect(await node.run({ verb: 'ADD', sandboxPath: own.path })).toMatchObject({ exitCode: 0 });
    const failed = await node.run({ verb: 'DEL', sandboxPath: own.path, config, pluginPath: folder });
    expect(failed).toMatchObject({ exitCode: 1, answer: { code } });
    expect(failed.stdout).not.toMatch(/not found/i);
    expect(await node.leases()).toHaveLength(2);
    expect(await node.run({ verb: 'DEL', sandboxPath: own.path })).toMatchObject({ exitCode: 0, stdout: '' });
    expect(await node.state()).toEqual(before);
    rmSync(folder, { recursive: true });
  });
});
