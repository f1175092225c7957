import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KernelError } from '../../src/system/kernel-error.ts';
import {
  createVethRequest,
  decodeLink,
  decodePeerIndex,
  dumpLinksRequest,
  deleteLinkRequest,
  getLinkRequest,
  setAliasRequest,
  setUpRequest,
} from '../../src/netlink/link-message.ts';
import { decodeAttributes, encodePayload } from '../../src/netlink/message.ts';
import { IFLA, IFLA_INFO, NLM_F, RTM, VETH_INFO_PEER } from '../../src/netlink/constants.ts';
import { parseMacAddress } from '../../src/address/mac-address.ts';
import { encodeByReference, readLinkByJudge } from '../support/kernel-message-judge.ts';

const HEADER_BYTES = 16;
const MACS = { host: parseMacAddress('ee:ee:ee:ee:ee:ee'), container: parseMacAddress('1e:05:be:ef:00:01') };
const veth = {
  kind: 'create-veth',
  host: { name: 'cali1', mac: MACS.host, alias: 'a' },
  container: { name: 'eth0', mac: MACS.container },
  mtuBytes: 1400,
  queueCount: 4,
} as const;

describe('the request that makes a veth', () => {
  const { type, flags, payload } = createVethRequest(veth, 19);
  const nested = (bytes: Uint8Array | undefined, attribute: number) =>
    decodeAttributes(bytes ?? Buffer.alloc(0), 0).get(attribute);
  const linkInfo = decodeAttributes(payload, HEADER_BYTES).get(IFLA.LINKINFO);

  it('makes, and fails where one of the name exists', () =>
    expect({ type, flags }).toEqual({ type: RTM.NEWLINK, flags: NLM_F.CREATE | NLM_F.EXCL }));

  it('has the container end as the judge encodes it', () => {
    const { linkinfo, ...attrs } = readLinkByJudge(payload).attrs;
    const judged = encodeByReference({
      kind: 'link',
      data: {},
      attrs: { ifname: 'eth0', address: Buffer.from('1e05beef0001', 'hex'), mtu: 1400, numTxQueues: 4, numRxQueues: 4 },
    });
    expect(attrs).toEqual(readLinkByJudge(judged).attrs);
    expect(nested(linkinfo, IFLA_INFO.KIND)?.toString()).toBe('veth\0');
  });

  it('has the host end as the peer, in the namespace of the descriptor', () => {
    const judged = encodeByReference({
      kind: 'link',
      data: {},
      attrs: {
        ifname: 'cali1',
        address: Buffer.from('eeeeeeeeeeee', 'hex'),
        mtu: 1400,
        numTxQueues: 4,
        numRxQueues: 4,
        netNsFd: 19,
      },
    });
    const peer = nested(nested(linkInfo, IFLA_INFO.DATA), VETH_INFO_PEER);
    expect(readLinkByJudge(peer ?? Buffer.alloc(0))).toEqual(readLinkByJudge(judged));
  });

  it('leaves to the kernel what is not said', () => {
    const bare = createVethRequest(
      { ...veth, container: { name: 'eth0', mac: undefined }, mtuBytes: undefined, queueCount: undefined },
      19,
    );
    expect([...decodeAttributes(bare.payload, HEADER_BYTES).keys()]).toEqual([IFLA.IFNAME, IFLA.LINKINFO]);
  });
});

describe('other requests are as the judge encodes them', () => {
  const same = (why: string, payload: Uint8Array, judged: Buffer) =>
    it(why, () => expect(Buffer.from(payload).toString('hex')).toBe(judged.toString('hex')));
  const extMask = Buffer.from('08000000', 'hex');
  same(
    'set up',
    setUpRequest('eth0').payload,
    encodeByReference({ kind: 'link', data: { flags: { up: true }, change: { up: true } }, attrs: { ifname: 'eth0' } }),
  );
  same(
    'get by name',
    getLinkRequest('eth0').payload,
    encodeByReference({ kind: 'link', data: {}, attrs: { ifname: 'eth0', extMask } }),
  );
  same(
    'get by index',
    getLinkRequest(7).payload,
    encodeByReference({ kind: 'link', data: { index: 7 }, attrs: { extMask } }),
  );
  same('list', dumpLinksRequest().payload, encodeByReference({ kind: 'link', data: {}, attrs: { extMask } }));
  same(
    'delete',
    deleteLinkRequest('eth0').payload,
    encodeByReference({ kind: 'link', data: {}, attrs: { ifname: 'eth0' } }),
  );

  it('an alias goes without a NUL, which the kernel would keep', () =>
    expect(decodeAttributes(setAliasRequest(7, 'pod/a').payload, HEADER_BYTES).get(IFLA.IFALIAS)?.toString()).toBe(
      'pod/a',
    ));
});

describe('an interface', () => {
  const encoded = encodeByReference({
    kind: 'link',
    data: { index: 7, flags: { up: true, broadcast: true } },
    attrs: {
      ifname: 'cali1',
      address: Buffer.from('eeeeeeeeeeee', 'hex'),
      mtu: 1400,
      link: Buffer.from('02000000', 'hex'),
      linkinfo: Buffer.from(encodePayload(Buffer.alloc(0), [[IFLA_INFO.KIND, 'veth']])),
      ifalias: 'pod/a',
    },
  });

  it('is read from what the judge encodes', () =>
    expect(decodeLink(encoded)).toEqual({
      index: 7,
      name: 'cali1',
      mac: 'ee:ee:ee:ee:ee:ee',
      mtuBytes: 1400,
      alias: 'pod/a',
      linkKind: 'veth',
      isUp: true,
    }));

  it('has the index of its other end', () => expect(decodePeerIndex(encoded)).toBe(2));

  it('that is down, without driver, alias or other end', () => {
    const plain = encodeByReference({ kind: 'link', data: { index: 1 }, attrs: { ifname: 'lo' } });
    expect(decodeLink(plain)).toMatchObject({ isUp: false, linkKind: undefined, alias: undefined });
    expect(decodePeerIndex(plain)).toBeUndefined();
  });

  const isValueOrKernelError = (bytes: Uint8Array): boolean => {
    try {
      return Number.isInteger(decodeLink(bytes).index);
    } catch (error) {
      return error instanceof KernelError;
    }
  };
  const holds = (bytes: fc.Arbitrary<Uint8Array>) => () =>
    fc.assert(fc.property(bytes, isValueOrKernelError), { numRuns: 10_000 });

  it('is read from any bytes, or a KernelError', () => expect(holds(fc.uint8Array({ maxLength: 120 }))).not.toThrow());

  it('is read from what was cut short or has some other bytes in it, or a KernelError', () => {
    const change = fc.tuple(fc.nat(encoded.length - 1), fc.nat(255));
    const spoiled = fc.tuple(fc.array(change, { maxLength: 4 }), fc.nat(encoded.length)).map(([changes, length]) => {
      const bytes = Buffer.from(encoded);
      for (const [offset, byte] of changes) bytes[offset] = byte;
      return bytes.subarray(0, length);
    });
    expect(holds(spoiled)).not.toThrow();
  });
});
