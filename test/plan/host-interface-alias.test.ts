import { describe, expect, it } from 'vitest';
import {
  formatHostInterfaceAlias,
  isSameAttachment,
  parseHostInterfaceAlias,
} from '../../src/plan/host-interface-alias.ts';

const OWNER = { containerId: 'c1', interfaceName: 'eth0', workload: 'default/web-0' };

describe('the alias of a host interface', () => {
  it('names container, interface and pod', () =>
    expect(formatHostInterfaceAlias(OWNER)).toBe('podwire c1 eth0 default/web-0'));
  it('is read back as it was', () => expect(parseHostInterfaceAlias(formatHostInterfaceAlias(OWNER))).toEqual(OWNER));
  it('of an attachment without a pod has no workload', () => {
    expect(parseHostInterfaceAlias(formatHostInterfaceAlias({ ...OWNER, workload: '' }))).toEqual({
      ...OWNER,
      workload: '',
    });
  });
  it('fits the 255 bytes of the kernel, however long the names', () => {
    const long = {
      containerId: 'c'.repeat(64),
      interfaceName: 'a234567890123456',
      workload: `${'n'.repeat(63)}/${'p'.repeat(253)}`,
    };
    expect(formatHostInterfaceAlias(long)).toHaveLength(255);
    expect(isSameAttachment(parseHostInterfaceAlias(formatHostInterfaceAlias(long)), long)).toBe(true);
  });
  it('of another program names no owner', () => expect(parseHostInterfaceAlias('uplink to rack 4')).toBeUndefined());
  it('that is missing names no owner', () => expect(parseHostInterfaceAlias(undefined)).toBeUndefined());
});

describe('isSameAttachment', () => {
  const parsed = parseHostInterfaceAlias(formatHostInterfaceAlias(OWNER));
  it('the same container and interface', () => expect(isSameAttachment(parsed, { ...OWNER, workload: '' })).toBe(true));
  it('another container of the same pod', () =>
    expect(isSameAttachment(parsed, { ...OWNER, containerId: 'c2' })).toBe(false));
  it('another interface of the same container', () =>
    expect(isSameAttachment(parsed, { ...OWNER, interfaceName: 'net1' })).toBe(false));
  it('no owner', () => expect(isSameAttachment(undefined, OWNER)).toBe(false));
});
