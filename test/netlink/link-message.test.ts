import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KernelError } from '../../src/system/kernel-error.ts';
import {
  createVethRequest,
  decodeLink,
  dumpLinksRequest,
  deleteLinkRequest,
  getLinkRequest,
  setAliasRequest,
  setUpRequest,
} from '../../src/netlink/link-message.ts';
import { decodeAttributes, decodePayload, encodePayload } from '../../src/netlink/message.ts';
import { IFLA, IFLA_INFO, NLM_F, RTM, VETH_INFO_PEER } from '../../src/netlink/constants.ts';
import { parseMacAddress } from '../../src/address/mac-address.ts';
import { encodeByReference, readLinkByReference } from '../support/kernel/reference-encoder.ts';

const HEADER_BYTES = 16;
const MACS = { host: parseMacAddress('ee:ee:ee:ee:ee:ee'), container: parseMacAddress('1e:05:be:ef:00:01') };
const veth = {
  kind: 'create-veth',
  host: { name: 'cali1', mac: MACS.host, alias: 'a' },
  container: { name: 'eth0', mac: MACS.container },
  mtuBytes: 1400,
  queueCount: 4,
} as const;

describe('createVethRequest', () => {
  const { type, flags, payload } = createVethRequest(veth, 19);
  const nested = (bytes: Uint8Array | undefined, attribute: number) =>
    decodeAttributes(bytes ?? Buffer.alloc(0)).get(attribute);
  const linkInfo = decodePayload(payload, HEADER_BYTES).attributes.get(IFLA.LINKINFO);

  it('creates an interface, and fails if its name exists', () =>
    expect({ type, flags }).toEqual({ type: RTM.NEWLINK, flags: NLM_F.CREATE | NLM_F.EXCL }));

  it('has the container end as the reference encodes it', () => {
    const { linkinfo, ...attrs } = readLinkByReference(payload).attrs;
    const reference = encodeByReference({
      kind: 'link',
      data: {},
      attrs: { ifname: 'eth0', address: Buffer.from('1e05beef0001', 'hex'), mtu: 1400, numTxQueues: 4, numRxQueues: 4 },
    });
    expect(attrs).toEqual(readLinkByReference(reference).attrs);
    expect(nested(linkinfo, IFLA_INFO.KIND)?.toString()).toBe('veth\0');
  });

  it('has the host end as the peer, in the namespace of the file descriptor', () => {
    const reference = encodeByReference({
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
    expect(readLinkByReference(peer ?? Buffer.alloc(0))).toEqual(readLinkByReference(reference));
  });

  it('has no attribute for what the step does not specify', () => {
    const bare = createVethRequest(
      { ...veth, container: { name: 'eth0', mac: undefined }, mtuBytes: undefined, queueCount: undefined },
      19,
    );
    expect([...decodePayload(bare.payload, HEADER_BYTES).attributes.keys()]).toEqual([IFLA.IFNAME, IFLA.LINKINFO]);
  });
});

describe('a request is as the reference encodes it:', () => {
  const same = (why: string, payload: Uint8Array, reference: Buffer) =>
    it(why, () => expect(Buffer.from(payload).toString('hex')).toBe(reference.toString('hex')));
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
  same('delete', deleteLinkRequest(7).payload, encodeByReference({ kind: 'link', data: { index: 7 }, attrs: {} }));

  it('setAliasRequest has no NUL, which the kernel would keep', () =>
    expect(
      decodePayload(setAliasRequest(7, 'pod/a').payload, HEADER_BYTES).attributes.get(IFLA.IFALIAS)?.toString(),
    ).toBe('pod/a'));
});

describe('decodeLink', () => {
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

  it('decodes what the reference encodes', () =>
    expect(decodeLink(encoded)).toEqual({
      index: 7,
      name: 'cali1',
      mac: 'ee:ee:ee:ee:ee:ee',
      mtuBytes: 1400,
      alias: 'pod/a',
      linkKind: 'veth',
      peerIndex: 2,
      isUp: true,
    }));

  it('decodes an interface that is down and has no kind, alias or other end', () => {
    const plain = encodeByReference({ kind: 'link', data: { index: 1 }, attrs: { ifname: 'lo' } });
    const nothing = { linkKind: undefined, alias: undefined, peerIndex: undefined };
    expect(decodeLink(plain)).toMatchObject({ isUp: false, ...nothing });
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

  it('decodes any bytes or throws a KernelError', () => expect(holds(fc.uint8Array({ maxLength: 120 }))).not.toThrow());

  it('decodes truncated and corrupted bytes or throws a KernelError', () => {
    const change = fc.tuple(fc.nat(encoded.length - 1), fc.nat(255));
    const corrupted = fc.tuple(fc.array(change, { maxLength: 4 }), fc.nat(encoded.length)).map(([changes, length]) => {
      const bytes = Buffer.from(encoded);
      for (const [offset, byte] of changes) bytes[offset] = byte;
      return bytes.subarray(0, length);
    });
    expect(holds(corrupted)).not.toThrow();
  });
});
