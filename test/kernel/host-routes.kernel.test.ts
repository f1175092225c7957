import { describe, expect, it, onTestFinished } from 'vitest';
import { parseIpAddress } from '../../src/address/ip-address.ts';
import { openKernel } from '../../src/kernel/kernel.ts';
import { hostNamespace } from '../lab/namespaces/network-namespace.ts';

describe('findHostAddress', () => {
  const finds = (why: string, setup: readonly string[], address: string, expected: string | undefined) =>
    it(why, async () => {
      const host = hostNamespace();
      await host.ip(...setup);
      onTestFinished(async () => void (await host.ip(...setup.map((word) => (word === 'add' ? 'delete' : word)))));
      await using kernel = openKernel();
      const found = await kernel.findHostAddress(['10.98.0.1', 'fd98::1', address].map(parseIpAddress));
      expect(found && [found.address.text, found.interfaceName]).toEqual(expected && [address, expected]);
    });
  finds('an IPv4 address', ['address', 'add', '10.98.1.1/24', 'dev', 'uplink'], '10.98.1.1', 'uplink');
  finds('an IPv6 address', ['address', 'add', 'fd98:2::1/128', 'dev', 'lo'], 'fd98:2::1', 'lo');
  finds('not another one of its network', ['address', 'add', '10.98.3.1/24', 'dev', 'uplink'], '10.98.3.2', undefined);
  finds('one that is still tentative', ['address', 'add', 'fd98:5::1/64', 'dev', 'uplink'], 'fd98:5::1', 'uplink');
  const local = ['route', 'add', 'local', '10.98.4.0/24', 'dev', 'lo'];
  finds('not one of a local network that no interface has', local, '10.98.4.1', undefined);
});
