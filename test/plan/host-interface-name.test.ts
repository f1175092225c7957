import { hash } from 'node:crypto';
import { expect, it } from 'vitest';
import { hostInterfaceName } from '../../src/plan/host-interface-name.ts';

const sha1 = (text: string) => hash('sha1', text);
const names = (
  claim: string,
  wanted: string,
  {
    prefix = 'cali',
    pod = { namespace: 'default', name: 'rec' },
    interfaceName = 'eth0',
  }: { prefix?: string; pod?: { namespace: string; name: string } | null; interfaceName?: string } = {},
) =>
  it(claim, () => {
    const owner = { pod: pod ?? undefined, interfaceName, containerId: '0123456789abcdef0123' };
    expect(hostInterfaceName(prefix, owner, sha1)).toBe(wanted);
  });

names('the name that the agent computes for default/rec', 'cali54a674feafd');
names('another prefix', 'tap54a674feafd', { prefix: 'tap' });
names('a pod of a second network has a name of its own', 'cali197bbff3edd', { interfaceName: 'net1' });
names('without a pod, the start of the container id', 'cali0123456789a', { pod: null });

it('every name fits the 15 bytes of the kernel', () => {
  expect(
    hostInterfaceName(
      'cali',
      { pod: { namespace: 'n'.repeat(63), name: 'p'.repeat(253) }, interfaceName: 'net1', containerId: 'c' },
      sha1,
    ),
  ).toHaveLength(15);
});
