import { describe, expect, it } from 'vitest';
import { isOfGoneContainer } from '../../src/attachment/route-owner.ts';
import type { JournalItem } from '../../src/journal/journal.ts';
import { parseMacAddress } from '../../src/address/mac-address.ts';
import type { ObservedInterface } from '../../src/plan/observation.ts';
import { attachment, attachmentId } from '../support/builders/attachment.ts';

const NETWORK = 'net';
const LINK: ObservedInterface = {
  index: 7,
  name: 'cali1',
  mac: parseMacAddress('ee:ee:ee:ee:ee:ee'),
  mtuBytes: 1500,
  alias: `podwire c9 eth0 ${NETWORK} default/owner`,
  linkKind: 'veth',
  peerIndex: 2,
  isUp: true,
};
const RECORD: JournalItem = {
  kind: 'record',
  id: attachmentId('c9', 'eth0'),
  network: NETWORK,
  record: {
    attachment: attachment(),
    stage: 'attached',
    boot: { bootId: 'boot', hostNetns: undefined },
    process: { pid: 1, startTicks: '1' },
  },
};

describe('the container of a host interface', () => {
  const isGone = (
    why: string,
    expected: boolean,
    overrides: Partial<ObservedInterface> = {},
    { item, inProgress = false, exists = false }: { item?: JournalItem; inProgress?: boolean; exists?: boolean } = {},
  ) =>
    it(`${expected ? 'is gone' : 'is not known to be gone'}: ${why}`, () => {
      const journal = { find: () => item, isInProgress: () => inProgress };
      const kernel = { sandboxExists: () => exists };
      expect(isOfGoneContainer({ ...LINK, ...overrides }, NETWORK, { journal, kernel })).toBe(expected);
    });
  isGone('its sandbox does not exist', true, {}, { item: RECORD });
  isGone('its sandbox exists', false, {}, { item: RECORD, exists: true });
  isGone('its ADD is running', false, {}, { item: RECORD, inProgress: true });
  isGone('its record is damaged', false, {}, { item: { ...RECORD, kind: 'damaged' } });
  isGone('it has no record, and its interface is up', false);
  isGone('it has no record, and its interface is down', true, { isUp: false });
  isGone('it has no record, and its interface is not a veth', true, { linkKind: 'dummy' });
  isGone('the interface has no alias', false, { alias: undefined, isUp: false });
  const other = { alias: 'podwire c9 eth0 other default/owner', isUp: false };
  isGone('another network has no record of it', false, other);
  isGone('another network has a record of it, and its sandbox does not exist', true, other, { item: RECORD });
});
