import { beforeAll, describe, expect, it } from 'vitest';
import { makeSandbox, type Sandbox } from '../lab/namespaces/network-namespace.ts';
import { startLoopbackNode, type LoopbackNode } from '../support/nodes/loopback-node.ts';
import type { NodeCall } from '../support/nodes/test-node.ts';
import type { NodeState } from '../support/nodes/node-state.ts';
import { useForAllTests } from '../support/suite/hooks.ts';

let node: LoopbackNode;
let sandbox: Sandbox;
let before: NodeState;
useForAllTests(async () => (node = await startLoopbackNode()));
useForAllTests(async () => (sandbox = await makeSandbox()));
beforeAll(async () => {
  before = await node.state();
});

type Environment = NonNullable<NodeCall['environment']>;

/** Makes a call that is valid except for these members, and checks that it is rejected and changes nothing. */
async function expectRejected(call: Partial<NodeCall>, code: number, message: RegExp): Promise<void> {
  const { exitCode, answer, stderr } = await node.run({ verb: 'ADD', sandboxPath: sandbox.path, ...call });
  expect({ exitCode, code: answer?.['code'] }).toEqual({ exitCode: 1, code });
  expect(answer?.['msg']).toMatch(message);
  expect(JSON.stringify(answer).length + stderr.length).toBeLessThan(3000);
  expect(stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  expect(await sandbox.ip('link', 'show')).toHaveLength(1);
  expect(await node.state()).toEqual(before);
}

describe('of several faults, the one that Go plugins report is reported', () => {
  const unusable = '{"cniVersion":"9.9.9","name":5}';
  const TABLE: readonly (readonly [why: string, call: Partial<NodeCall>, code: number, message: RegExp])[] = [
    [
      'a bad container id before a bad interface name',
      { containerId: '../x', interfaceName: 'a/b', config: unusable },
      4,
      /^CNI_CONTAINERID: expected/,
    ],
    [
      'a bad container id before missing variables',
      { containerId: '../x', sandboxPath: '', config: '' },
      4,
      /^CNI_CONTAINERID: expected/,
    ],
    [
      'a bad interface name before missing variables',
      { containerId: '', interfaceName: 'a/b', config: '' },
      4,
      /^CNI_IFNAME: expected/,
    ],
    [
      'all missing variables at once',
      { containerId: '', interfaceName: '', sandboxPath: '', config: '' },
      4,
      /\[CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME\] missing/,
    ],
    ['missing variables before the text of the netconf', { sandboxPath: '', config: '{' }, 4, /\[CNI_NETNS\] missing/],
    [
      'for DEL no sandbox is missing',
      { verb: 'DEL', containerId: '', sandboxPath: '', config: '{' },
      4,
      /\[CNI_CONTAINERID\] missing/,
    ],
    [
      'for GC only CNI_PATH can be missing',
      { verb: 'GC', containerId: '', interfaceName: '', environment: { CNI_PATH: undefined }, config: '{' },
      4,
      /\[CNI_PATH\] missing/,
    ],
    ['for GC a bad container id is nothing', { verb: 'GC', containerId: '../x', config: '{' }, 6, /not valid JSON/],
    [
      'for STATUS a bad container id is nothing',
      { verb: 'STATUS', containerId: '../x', config: '{' },
      6,
      /not valid JSON/,
    ],
    ['text before name', { config: '{"name":' }, 6, /not valid JSON/],
    ['name before version', { config: unusable }, 7, /"name"/],
    ['a name that is missing', { config: '{"cniVersion":"1.0.0"}' }, 7, /"name" is missing/],
    [
      'version before command',
      { verb: 'FOO', config: '{"cniVersion":"9.9.9","name":"a"}' },
      1,
      /^incompatible CNI versions/,
    ],
    [
      'version before the rest',
      { config: '{"cniVersion":"9.9.9","name":"a","mtu":"x"}' },
      1,
      /^incompatible CNI versions/,
    ],
    [
      'CHECK of a version without it',
      { verb: 'CHECK', config: '{"cniVersion":"0.3.1","name":"a"}' },
      1,
      /^config version does not allow CHECK/,
    ],
    [
      'GC of a version without it',
      { verb: 'GC', config: '{"cniVersion":"1.0.0","name":"a"}' },
      1,
      /^config version does not allow GC/,
    ],
    [
      'STATUS of a version without it',
      { verb: 'STATUS', config: '{"cniVersion":"1.0.0","name":"a"}' },
      1,
      /^config version does not allow STATUS/,
    ],
    [
      'a missing version is 0.1.0',
      { verb: 'CHECK', config: '{"name":"a"}' },
      1,
      /^config version does not allow CHECK/,
    ],
    [
      'command before the rest of the netconf',
      { verb: 'FOO', config: '{"cniVersion":"1.0.0","name":"a","mtu":"x"}' },
      4,
      /^unknown CNI_COMMAND: "FOO"/,
    ],
    [
      'a command in lower case',
      { verb: 'add', config: '{"cniVersion":"1.0.0","name":"a"}' },
      4,
      /^unknown CNI_COMMAND: "add"/,
    ],
    [
      'a command that is a property of objects',
      { verb: '__proto__', config: '{"cniVersion":"1.0.0","name":"a"}' },
      4,
      /^unknown CNI_COMMAND/,
    ],
    [
      'the rest of the netconf before CNI_ARGS',
      { config: '{"cniVersion":"1.0.0","name":"a","type":5}', environment: { CNI_ARGS: 'x' } },
      7,
      /"type"/,
    ],
  ];
  it.each(TABLE)('%s', (_, call, code, message) =>
    expect(expectRejected(call, code, message)).resolves.toBeUndefined(),
  );

  it('the supported versions are in the details', async () => {
    const { answer } = await node.run({
      verb: 'ADD',
      sandboxPath: sandbox.path,
      config: '{"cniVersion":"9.9.9","name":"a"}',
    });
    expect(answer).toMatchObject({
      cniVersion: '9.9.9',
      details: 'config is "9.9.9", plugin supports ["0.1.0" "0.2.0" "0.3.0" "0.3.1" "0.4.0" "1.0.0" "1.1.0"]',
    });
  });
});

describe('names', () => {
  const badId = (why: string, containerId: string) =>
    it(`a container id ${why}`, () =>
      expect(expectRejected({ containerId }, 4, /^CNI_CONTAINERID: expected/)).resolves.toBeUndefined());
  badId('with ../', '../../etc/passwd');
  badId('with a line break', 'a\nb');
  badId('with a terminal escape', 'a\u001b[2Jb');
  badId('of 10,000 characters', 'a'.repeat(10_000));
  badId('that begins with a dot', '.a');
  badId('in Cyrillic letters', 'абв');
  badId('with a C1 control', 'a\u009bb');

  const badName = (why: string, interfaceName: string) =>
    it(`an interface name ${why}`, () =>
      expect(expectRejected({ interfaceName }, 4, /^CNI_IFNAME: expected/)).resolves.toBeUndefined());
  badName('of 16 characters', 'a234567890123456');
  badName('of 10,000 characters', 'a'.repeat(10_000));
  badName('that the kernel would expand', 'eth%d');
  badName('with /', 'a/b');
  badName('with a space', 'a b');
  badName('with a line break', 'a\nb');
  badName('with a terminal escape', '\u001b[2J');
  badName('..', '..');
  badName('of sysctl, all', 'all');
});

describe('CNI_ARGS', () => {
  const bad = (why: string, value: string, message: RegExp) =>
    it(why, () => expect(expectRejected({ environment: { CNI_ARGS: value } }, 4, message)).resolves.toBeUndefined());
  bad('without =', 'K8S_POD_NAME', /expected KEY=VALUE .* got "K8S_POD_NAME"/);
  bad('with ;;', 'IgnoreUnknown=1;;A=b', /expected KEY=VALUE .* got ""/);
  bad('with ; at its end', 'IgnoreUnknown=1;', /expected KEY=VALUE .* got ""/);
  bad('with a value with =', 'IgnoreUnknown=1;A=b=c', /expected KEY=VALUE .* got "A=b=c"/);
  bad('with an empty key that is not ignored', '=a', /does not know ""/);
  bad('with an unknown key that is not ignored', 'A=b', /does not know "A"/);
  bad('with IgnoreUnknown of no meaning', 'IgnoreUnknown=maybe', /IgnoreUnknown: .* got "maybe"/);
  bad('with a pod and no namespace', 'K8S_POD_NAME=a', /K8S_POD_NAMESPACE: .* got ""/);
  bad('with a namespace and no pod', 'K8S_POD_NAMESPACE=a', /K8S_POD_NAME: .* got ""/);
  bad(
    'with a namespace with ../',
    'K8S_POD_NAMESPACE=../kube-system;K8S_POD_NAME=a',
    /K8S_POD_NAMESPACE: .* got "\.\.\/kube-system"/,
  );
  bad('with a pod name with a query', 'K8S_POD_NAMESPACE=a;K8S_POD_NAME=a?b', /K8S_POD_NAME: .* got "a\?b"/);
  bad(
    'with a pod name with a line break',
    'K8S_POD_NAMESPACE=a;K8S_POD_NAME=a\nHost: x',
    /K8S_POD_NAME: .* got "a\\nHost: x"/,
  );
  bad(
    'with a pod name of 10,000 characters',
    `K8S_POD_NAMESPACE=a;K8S_POD_NAME=${'a'.repeat(10_000)}`,
    /K8S_POD_NAME: .* got "a{64}…"/,
  );
  bad('with a uid with ../', 'K8S_POD_UID=../a', /K8S_POD_UID: expected/);
  // The longest string that Linux passes to a program: 32 pages.
  bad('as long as Linux lets it be', `IgnoreUnknown=1;${'A=b;'.repeat(32_000)}`, /expected KEY=VALUE .* got ""/);
});

describe('network settings', () => {
  const environment: Environment = { FELIX_INTERFACEPREFIX: 'toolong' };
  it('a prefix too long for an interface name', () =>
    expect(expectRejected({ environment }, 4, /^FELIX_INTERFACEPREFIX: .* got "toolong"/)).resolves.toBeUndefined());

  // A separate network: what DEL cannot remove then does not affect the other tests.
  const ranged = (subnet: string) => ({
    config: node.netconf({ name: `range-${subnet.replaceAll(/[^0-9a-f]/g, '-')}`, ipam: { ranges: [[{ subnet }]] } }),
  });
  const badRange = (why: string, subnet: string, message: RegExp) =>
    it(`a range ${why} is refused with the message of host-local`, () =>
      expect(expectRejected(ranged(subnet), 999, message)).resolves.toBeUndefined());
  badRange('/31', '10.0.0.0/31', /too small/);
  badRange('/32', '10.0.0.1/32', /too small/);
  badRange('/128', 'fd00::1/128', /too small/);
  badRange('with host bits', '10.0.0.5/24', /10\.0\.0\.[05]/);
  badRange('of a mapped address', '::ffff:10.0.0.0/120', /./);

  it('DEL succeeds for a range that host-local refused, because nothing was leased', async () => {
    const ended = await node.run({ verb: 'DEL', sandboxPath: sandbox.path, ...ranged('10.0.0.0/31') });
    expect(ended).toMatchObject({ exitCode: 0, stdout: '' });
  });

  it('DEL with a corrected netconf removes an ADD that host-local refused for its range', async () => {
    const call = { sandboxPath: sandbox.path, containerId: 'corrected' };
    expect(await node.run({ verb: 'ADD', ...call, ...ranged('10.0.0.0/31') })).toMatchObject({ exitCode: 1 });
    const right = { ...ranged('10.0.0.0/31').config, ipam: node.netconf()['ipam'] ?? {} };
    expect(await node.run({ verb: 'DEL', ...call, config: right })).toMatchObject({ exitCode: 0, stdout: '' });
  });
});
