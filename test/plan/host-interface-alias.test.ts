import { describe, expect, it } from 'vitest';
import {
  formatHostInterfaceAlias,
  ownsAttachment,
  ownsNetwork,
  ownsWorkload,
  parseHostInterfaceAlias,
  type HostInterfaceOwner,
} from '../../src/plan/host-interface-alias.ts';
import { sha1 } from '../support/builders/attachment.ts';

const OWNER = { containerId: 'c1', interfaceName: 'eth0', network: 'pods', workload: 'default/web-0' };
const LONG = {
  containerId: 'c'.repeat(200),
  interfaceName: 'a23456789012345',
  network: 'n'.repeat(200),
  workload: `${'n'.repeat(63)}/${'p'.repeat(253)}`,
};
const format = (owner: HostInterfaceOwner) => formatHostInterfaceAlias(owner, sha1);
const parse = (owner: HostInterfaceOwner) => {
  const parsed = parseHostInterfaceAlias(format(owner));
  if (parsed === undefined) throw new Error('not parsed');
  return parsed;
};

describe('the alias of a host interface', () => {
  it('names container, interface, network and pod', () =>
    expect(format(OWNER)).toBe('podwire c1 eth0 pods default/web-0'));
  it('is parsed as it was formatted', () => expect(parse(OWNER)).toEqual(OWNER));
  it('of an attachment without a pod has no workload', () =>
    expect(parse({ ...OWNER, workload: '' })).toEqual({ ...OWNER, workload: '' }));
  it('has at most 255 bytes, however long the names', () => expect(format(LONG)).toHaveLength(255));
  it('of another program names no owner', () => expect(parseHostInterfaceAlias('uplink to rack 4')).toBeUndefined());
  it('that ends before the network names no owner', () =>
    expect(parseHostInterfaceAlias('podwire c1')).toBeUndefined());
  it('that is missing names no owner', () => expect(parseHostInterfaceAlias(undefined)).toBeUndefined());
});

describe('two attachments whose names differ only in the last character have different aliases', () => {
  const end = (text: string) => `${text.slice(0, -1)}x`;
  it.each(['containerId', 'network', 'workload'] as const)('of the %s', (key) => {
    const other = { ...LONG, [key]: end(LONG[key]) };
    expect(format(other)).not.toBe(format(LONG));
    expect(ownsAttachment(parse(LONG), LONG, sha1) && ownsWorkload(parse(LONG), LONG.workload, sha1)).toBe(true);
    expect(ownsAttachment(parse(LONG), other, sha1) && ownsWorkload(parse(LONG), other.workload, sha1)).toBe(false);
  });
});

describe('ownsAttachment', () => {
  const owns = (overrides: Partial<typeof OWNER>) => ownsAttachment(parse(OWNER), { ...OWNER, ...overrides }, sha1);
  it('is true for the same container, interface and network', () => expect(owns({})).toBe(true));
  it('is false for another container of the same pod', () => expect(owns({ containerId: 'c2' })).toBe(false));
  it('is false for another interface of the same container', () => expect(owns({ interfaceName: 'net1' })).toBe(false));
  it('is false for another network with the same interface', () => expect(owns({ network: 'other' })).toBe(false));
});

describe('ownsWorkload and ownsNetwork', () => {
  it('recognize a pod whose name is hashed, whatever the length of the container id', () => {
    for (const containerId of ['c', 'c'.repeat(64), 'c'.repeat(200)]) {
      expect(ownsWorkload(parse({ ...LONG, containerId }), LONG.workload, sha1)).toBe(true);
      expect(ownsNetwork(parse({ ...LONG, containerId }), LONG.network, sha1)).toBe(true);
    }
  });
  it('do not accept a short hash, which many names would have', () =>
    expect(ownsWorkload({ ...OWNER, workload: '#' }, 'default/web-0', sha1)).toBe(false));
});
