import { describe, expect, it } from 'vitest';
import {
  formatHostInterfaceAlias,
  isSameAttachment,
  parseHostInterfaceAlias,
} from '../../src/plan/host-interface-alias.ts';

const OWNER = { containerId: 'c1', interfaceName: 'eth0', network: 'pods', workload: 'default/web-0' };

describe('the alias of a host interface', () => {
  it('names container, interface, network and pod', () => {
    expect(formatHostInterfaceAlias(OWNER)).toBe('podwire c1 eth0 pods default/web-0');
  });
  it('is parsed as it was formatted', () =>
    expect(parseHostInterfaceAlias(formatHostInterfaceAlias(OWNER))).toEqual(OWNER));
  it('of an attachment without a pod has no workload', () => {
    const plain = { ...OWNER, workload: '' };
    expect(parseHostInterfaceAlias(formatHostInterfaceAlias(plain))).toEqual(plain);
  });
  it('has at most 255 bytes, with the container and the interface complete, however long the names', () => {
    const long = {
      containerId: 'c'.repeat(200),
      interfaceName: 'a23456789012345',
      network: 'n'.repeat(200),
      workload: `${'n'.repeat(63)}/${'p'.repeat(253)}`,
    };
    const alias = formatHostInterfaceAlias(long);
    expect(alias).toHaveLength(255);
    expect(parseHostInterfaceAlias(alias)).toMatchObject({
      containerId: long.containerId,
      interfaceName: long.interfaceName,
    });
  });
  it('of another program names no owner', () => expect(parseHostInterfaceAlias('uplink to rack 4')).toBeUndefined());
  it('that ends before the network names no owner', () =>
    expect(parseHostInterfaceAlias('podwire c1')).toBeUndefined());
  it('that is missing names no owner', () => expect(parseHostInterfaceAlias(undefined)).toBeUndefined());
});

describe('isSameAttachment', () => {
  it('is true for the same container and interface', () => expect(isSameAttachment(OWNER, OWNER)).toBe(true));
  it('is false for another container of the same pod', () =>
    expect(isSameAttachment(OWNER, { ...OWNER, containerId: 'c2' })).toBe(false));
  it('is false for another interface of the same container', () => {
    expect(isSameAttachment(OWNER, { ...OWNER, interfaceName: 'net1' })).toBe(false);
  });
});
