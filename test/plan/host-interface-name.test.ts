import { hash } from 'node:crypto';
import { expect, it } from 'vitest';
import { hostInterfaceName } from '../../src/plan/host-interface-name.ts';

const sha1 = (text: string) => hash('sha1', text);
const names = (
  claim: string,
  expected: string,
  {
    prefix = 'cali',
    pod = { namespace: 'default', name: 'rec' },
    interfaceName = 'eth0',
  }: { prefix?: string; pod?: { namespace: string; name: string } | null; interfaceName?: string } = {},
) =>
  it(claim, () => {
    const owner = { pod: pod ?? undefined, interfaceName, containerId: '0123456789abcdef0123' };
    expect(hostInterfaceName(prefix, owner, sha1)).toBe(expected);
  });

names('eth0 of default/rec has the name that the agent computes', 'cali54a674feafd');
names('the prefix is replaced', 'tap54a674feafd', { prefix: 'tap' });
names('another interface of the same pod has another name', `cali${sha1('default.rec/net1').slice(0, 11)}`, {
  interfaceName: 'net1',
});
names('without a pod, the name starts with the container id', 'cali0123456789a', { pod: null });
names('another interface without a pod has another name', `cali${sha1('0123456789abcdef0123/net1').slice(0, 11)}`, {
  pod: null,
  interfaceName: 'net1',
});

it('the second interface of a pod never has the name of the first interface of another pod', () => {
  const containerId = 'c1';
  const second = { pod: { namespace: 'default', name: 'web' }, interfaceName: 'net1', containerId };
  const first = { pod: { namespace: 'default', name: 'web.net1' }, interfaceName: 'eth0', containerId };
  expect(hostInterfaceName('cali', second, sha1)).not.toBe(hostInterfaceName('cali', first, sha1));
});

it('every name has at most 15 bytes', () => {
  expect(
    hostInterfaceName(
      'cali',
      { pod: { namespace: 'n'.repeat(63), name: 'p'.repeat(253) }, interfaceName: 'net1', containerId: 'c' },
      sha1,
    ),
  ).toHaveLength(15);
});
