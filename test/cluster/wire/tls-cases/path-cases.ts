import type { Certificate, CertificateContents, SigningCertificate } from '../../../lab/certificates/certificate.ts';
import { der, integer } from '../../../lab/certificates/der.ts';
import {
  alternativeNames,
  extendedKeyUsage,
  type ExtendedUse,
  isAuthority,
  keyUsage,
  nameConstraints,
} from '../../../lab/certificates/extensions.ts';
import { authority, AUTHORITY, caseOf, server, SERVER, SERVER_NAME, type TlsCase } from './tls-case.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const EXPIRED = { notBefore: new Date(Date.now() - 2 * DAY_MS), notAfter: new Date(Date.now() - DAY_MS) };
const ONE_PATH = { nodeDiffers: 'OpenSSL follows one path only; Go tries all of them' };
const IDENTIFIERS = { nodeDiffers: 'OpenSSL requires the key identifier of the issuer to be that in the certificate' };
const NAMES = { nodeDiffers: 'OpenSSL ignores case, spaces and encodings' };
const OLD = { nodeDiffers: 'OpenSSL requires an authority that is not a root to say that it is one' };
const ANY_USAGE = { nodeDiffers: 'OpenSSL requires the usage "server" to be named' };
const UNUSABLE_KEY = { nodeDiffers: 'OpenSSL requires a key that is permitted for TLS, and Go does not' };
const NONE = { keyIdentifiers: 'none' } as const;

/** Servers for which there are several ways to an authority, some of which are wrong, and how certificates name their issuers. */
export function pathCases(): readonly TlsCase[] {
  return [
    ...namesakes(),
    ...renewed(),
    ...crossSigned(),
    ...constrained(),
    ...namesOfIssuers(),
    ...oldVersions(),
    ...usages(),
  ];
}

/** Certificates of the same name, and without key identifiers, which say which one it is. */
function namesakes(): readonly TlsCase[] {
  const root = authority('root', NONE);
  const namesake = authority('root', NONE);
  const leaf = server(root, NONE);
  const lower = authority('lower', NONE, root);
  const otherLower = authority('lower', NONE, root);
  const under = server(lower, NONE);
  const strayed = authority('lower', NONE, namesake);
  return [
    caseOf('of the first of two roots with one name', 'accepted', [leaf], [root, namesake]),
    caseOf('of the second of two roots with one name', 'accepted', [leaf], [namesake, root], ONE_PATH),
    caseOf('of the last of six roots with one name', 'accepted', [leaf], [...sixRoots(), root], ONE_PATH),
    caseOf('of none of six roots with one name', 'rejected', [leaf], sixRoots()),
    caseOf(
      'that sends another intermediate with the same name first',
      'accepted',
      [under, otherLower, lower],
      [root],
      ONE_PATH,
    ),
    caseOf('that sends another intermediate with the same name last', 'accepted', [under, lower, otherLower], [root]),
    caseOf('that sends only another intermediate', 'rejected', [under, otherLower], [root]),
    caseOf(
      'that sends one of another root with the same name',
      'accepted',
      [under, strayed, lower],
      [namesake, root],
      ONE_PATH,
    ),
  ];
}

function sixRoots(): readonly SigningCertificate[] {
  return Array.from({ length: 6 }, () => authority('root', NONE));
}

/** Authorities that were renewed with the key that they had. */
function renewed(): readonly TlsCase[] {
  const root = authority('root');
  const again = (contents: Partial<CertificateContents>) => authority('root', { key: root.key, ...contents });
  const leaf = server(root);
  const otherIdentifier = again({ keyIdentifiers: { subject: Buffer.from('another way to hash a key') } });
  const serialNumber = Buffer.from([7]);
  const numbered = authority('root', { serialNumber });
  const bySerial = server(numbered, { keyIdentifiers: { authority: issuerAndSerial(numbered, serialNumber) } });
  const intermediate = authority('intermediate', {}, root);
  const under = server(intermediate);
  const otherIntermediate = authority(
    'intermediate',
    { key: intermediate.key, keyIdentifiers: { subject: Buffer.from('another way to hash a key') } },
    root,
  );
  return [
    caseOf('whose root was renewed', 'accepted', [leaf], [again({})]),
    caseOf('whose root has expired and was renewed', 'accepted', [leaf], [again(EXPIRED), root]),
    caseOf('whose root was renewed, and has expired in the file, too', 'accepted', [leaf], [root, again(EXPIRED)]),
    caseOf('whose root was renewed with another key identifier', 'accepted', [leaf], [otherIdentifier], IDENTIFIERS),
    caseOf(
      'whose intermediate was renewed with another key identifier',
      'accepted',
      [under, otherIntermediate],
      [root],
      IDENTIFIERS,
    ),
    caseOf(
      'whose root was renewed with another serial number',
      'accepted',
      [bySerial],
      [authority('root', { key: numbered.key })],
      IDENTIFIERS,
    ),
    caseOf('that names the serial number of its root', 'accepted', [bySerial], [numbered]),
    caseOf(
      'that sends its expired root, for the renewed one',
      'accepted',
      [under, intermediate, again(EXPIRED)],
      [root],
    ),
    caseOf(
      'of a root with the same name and identifier, but another key',
      'rejected',
      [leaf],
      [authority('root', { keyIdentifiers: { subject: Buffer.alloc(20) } })],
    ),
  ];
}

function issuerAndSerial({ subject }: SigningCertificate, serialNumber: Uint8Array): readonly Uint8Array[] {
  const { length } = integer(serialNumber);
  return [der(0xa1, der(0xa4, subject)), der(0x82, integer(serialNumber).subarray(2, length))];
}

function crossSigned(): readonly TlsCase[] {
  const roots = [authority('first root'), authority('second root'), authority('third root')] as const;
  const [first, second, third] = roots;
  const upperByFirst = authority('upper', {}, first);
  const upperBySecond = authority('upper', { key: upperByFirst.key }, second);
  const lower = authority('lower', {}, upperByFirst);
  const lowerByThird = authority('lower', { key: lower.key }, third);
  const leaf = server(lower);
  const all = [lower, lowerByThird, upperByFirst, upperBySecond];
  const sent = (...others: readonly Certificate[]) => [leaf, ...others] as const;
  const waysTo = (name: string, chain: ReturnType<typeof sent>, taken: number) =>
    roots.map((root, index) =>
      caseOf(`${name}, of which number ${index} is right`, 'accepted', chain, [root], index === taken ? {} : ONE_PATH),
    );
  return [
    ...waysTo('that sends three ways', sent(...all), 0),
    ...waysTo('that sends three ways in reverse', sent(...all.toReversed()), 2),
    caseOf('that sends three ways, none of which is right', 'rejected', sent(...all), [authority('other')]),
    caseOf('that sends certificates that signed each other', 'rejected', ...circle()),
    caseOf('that sends 20 intermediates with one name, of which the last is right', 'accepted', ...crowd(20), ONE_PATH),
  ];
}

function circle(): [readonly [Certificate, ...Certificate[]], readonly Certificate[]] {
  const one = authority('one');
  const two = authority('two', {}, one);
  const oneByTwo = authority('one', { key: one.key }, two);
  return [[server(two), two, oneByTwo], [authority('other')]];
}

function crowd(count: number): [readonly [Certificate, ...Certificate[]], readonly Certificate[]] {
  const root = authority('root', NONE);
  const intermediates = Array.from({ length: count }, () => authority('intermediate', NONE, root));
  const last = intermediates.at(-1) ?? root;
  return [[server(last, NONE), ...intermediates], [root]];
}

/** Two ways to an authority, of which one has a limit. */
function constrained(): readonly TlsCase[] {
  const free = authority('free root');
  const narrow = authority('narrow root', {
    extensions: [...AUTHORITY, nameConstraints({ permitted: ['example.org'] })],
  });
  const short = authority('short root', { extensions: [isAuthority(0), keyUsage('keyCertSign')] });
  const forClients = authority('root for clients', { extensions: [...AUTHORITY, extendedKeyUsage('client')] });
  const byFree = authority('intermediate', {}, free);
  const leaf = server(byFree);
  const limits = [
    ['that permits other names', narrow],
    ['that permits no intermediate', short],
    ['for clients', forClients],
    ['that has expired', authority('old root', EXPIRED)],
  ] as const;
  return limits.flatMap(([limit, root]) => {
    const byLimited = authority('intermediate', { key: byFree.key }, root);
    return [
      caseOf(
        `of a root ${limit}, and of one without limits`,
        'accepted',
        [leaf, byLimited, byFree],
        [root, free],
        ONE_PATH,
      ),
      caseOf(`of one without limits, and of a root ${limit}`, 'accepted', [leaf, byFree, byLimited], [free, root]),
      caseOf(`only of a root ${limit}`, 'rejected', [leaf, byLimited, byFree], [root]),
    ];
  });
}

function namesOfIssuers(): readonly TlsCase[] {
  const root = authority('Root', { encoding: 'printable' });
  const leaf = server(root);
  const sameKey = (commonName: string, encoding: 'utf8' | 'printable') =>
    authority(commonName, { key: root.key, encoding });
  return [
    caseOf('that names its root in the same encoding', 'accepted', [leaf], [sameKey('Root', 'printable')]),
    caseOf('that names its root in another encoding', 'rejected', [leaf], [sameKey('Root', 'utf8')], NAMES),
    caseOf('that names its root in lower case', 'rejected', [leaf], [sameKey('root', 'printable')], NAMES),
    caseOf('that names its root with another space', 'rejected', [leaf], [sameKey('Root ', 'printable')], NAMES),
  ];
}

function oldVersions(): readonly TlsCase[] {
  const root = authority('root');
  const oldRoot = authority('old root', { version: 1 });
  const oldIntermediate = authority('intermediate', { version: 1 }, root);
  const byOldRoot = authority('intermediate', {}, oldRoot);
  return [
    caseOf('whose root has version 1', 'accepted', [server(oldRoot)], [oldRoot]),
    caseOf('whose root has version 1, with an intermediate', 'accepted', [server(byOldRoot), byOldRoot], [oldRoot]),
    caseOf('whose intermediate has version 1', 'rejected', [server(oldIntermediate), oldIntermediate], [root]),
    caseOf(
      'whose intermediate has version 1, and is the authority',
      'accepted',
      [server(oldIntermediate)],
      [oldIntermediate],
      OLD,
    ),
    caseOf('whose certificate has version 1', 'rejected', [server(root, { version: 1 })], [root]),
    caseOf('whose serial number is 0', 'accepted', [server(root, { serialNumber: Buffer.from([0]) })], [root]),
    caseOf(
      'whose serial number has 32 bytes',
      'accepted',
      [server(root, { serialNumber: Buffer.alloc(32, 1) })],
      [root],
    ),
  ];
}

function usages(): readonly TlsCase[] {
  const root = authority('root');
  const leafFor = (...uses: readonly ExtendedUse[]) =>
    server(root, {
      extensions: [SERVER[0] ?? isAuthority(), extendedKeyUsage(...uses), alternativeNames(SERVER_NAME)],
    });
  const below = (...uses: readonly ExtendedUse[]) => {
    const intermediate = authority('intermediate', { extensions: [...AUTHORITY, extendedKeyUsage(...uses)] }, root);
    return [server(intermediate), intermediate] as const;
  };
  const rootFor = (...uses: readonly ExtendedUse[]) => {
    const other = authority('other', { extensions: [...AUTHORITY, extendedKeyUsage(...uses)] });
    return [[server(other)], [other]] as const;
  };
  const onlySigns = server(root, { key: 'RSA-2048', extensions: [...AUTHORITY, alternativeNames(SERVER_NAME)] });
  const oldAndOnlySigns = caseOf('of TLS 1.2 whose key may only sign', 'accepted', [onlySigns], [root], {
    server: { cert: onlySigns.certificatePem, key: onlySigns.keyPem, maxVersion: 'TLSv1.2' },
    ...UNUSABLE_KEY,
  });
  return [
    oldAndOnlySigns,
    caseOf('whose certificate is for an unknown usage', 'rejected', [leafFor('unknown')], [root]),
    caseOf('whose certificate is for an unknown usage and servers', 'accepted', [leafFor('unknown', 'server')], [root]),
    caseOf('whose certificate is for clients and any usage', 'accepted', [leafFor('client', 'any')], [root], ANY_USAGE),
    caseOf('whose intermediate is for any usage', 'accepted', below('any'), [root], ANY_USAGE),
    caseOf('whose intermediate is for an unknown usage', 'rejected', below('unknown'), [root]),
    caseOf('whose root is for any usage', 'accepted', ...rootFor('any'), ANY_USAGE),
    caseOf('whose root is for an unknown usage', 'rejected', ...rootFor('unknown')),
    caseOf('whose root is for servers', 'accepted', ...rootFor('server')),
  ];
}
