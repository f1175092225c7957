import type { SigningCertificate } from '../../../lab/certificates/certificate.ts';
import {
  alternativeNames,
  extendedKeyUsage,
  isAuthority,
  isNoAuthority,
  keyUsage,
  unknownCritical,
} from '../../../lab/certificates/extensions.ts';
import { authority, AUTHORITY, caseOf, server, SERVER, SERVER_NAME, type TlsCase } from './tls-case.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const EXPIRED = { notBefore: new Date(Date.now() - 2 * DAY_MS), notAfter: new Date(Date.now() - DAY_MS) };
const NOT_YET_VALID = { notBefore: new Date(Date.now() + DAY_MS), notAfter: new Date(Date.now() + 2 * DAY_MS) };
const NAMES = alternativeNames(SERVER_NAME);

/** RFC 5280, section 4.2.1.3. */
const UNUSABLE_KEY = { nodeDiffers: 'OpenSSL requires a key that is permitted for TLS, and Go does not' };

/** Chains from the server to an authority: their order, their dates, and what their certificates may be used for. */
export function chainCases(): readonly TlsCase[] {
  return [...orders(), ...dates(), ...usages(), ...pathLengths(), ...crossSigned()];
}

function orders(): readonly TlsCase[] {
  const root = authority('root');
  const upper = authority('upper', {}, root);
  const lower = authority('lower', {}, upper);
  const leaf = server(lower);
  const direct = server(root);
  const selfSigned = server(undefined);
  const namesake = authority('root');
  const onlyRoot = authority('only a root', { extensions: [...AUTHORITY, NAMES] });
  const rootAndServer = authority('root and server', {
    extensions: [isAuthority(), keyUsage('digitalSignature', 'keyCertSign'), NAMES],
  });
  const unmarkedRoot = server(undefined, { extensions: [NAMES] });
  return [
    caseOf('signed by the root', 'accepted', [direct], [root]),
    caseOf('signed over two intermediates', 'accepted', [leaf, lower, upper], [root]),
    caseOf('that also sends the root', 'accepted', [leaf, lower, upper, root], [root]),
    caseOf('that sends the intermediates in reverse order', 'accepted', [leaf, upper, lower], [root]),
    caseOf('that sends each certificate twice', 'accepted', [leaf, leaf, lower, lower, upper, upper], [root]),
    caseOf('that sends a foreign certificate in between', 'accepted', [leaf, namesake, lower, upper], [root]),
    caseOf('that omits the lower intermediate', 'rejected', [leaf, upper], [root]),
    caseOf('that omits the upper intermediate', 'rejected', [leaf, lower], [root]),
    caseOf('that omits both intermediates', 'rejected', [leaf], [root]),
    caseOf('whose intermediates are authorities, next to the root', 'accepted', [leaf], [root, upper, lower]),
    caseOf('whose lower intermediate is the only authority', 'accepted', [leaf], [lower]),
    caseOf('whose upper intermediate is the only authority', 'accepted', [leaf, lower], [upper]),
    caseOf('whose own certificate is the only authority', 'accepted', [leaf], [leaf]),
    caseOf('of another authority', 'rejected', [direct], [authority('other')]),
    caseOf('of another authority with the same name', 'rejected', [direct], [namesake]),
    caseOf('of one of two authorities with the same name', 'accepted', [direct], [namesake, root]),
    caseOf('whose certificate signed itself', 'rejected', [selfSigned], [root]),
    caseOf('whose certificate signed itself and is the authority', 'accepted', [selfSigned], [selfSigned]),
    caseOf('whose certificate is that of the root, and may be used for TLS', 'accepted', ...twice(rootAndServer)),
    caseOf('whose certificate is that of the root, and may only sign', 'accepted', ...twice(onlyRoot), UNUSABLE_KEY),
    caseOf('whose certificate only has a name, and is the authority', 'accepted', [unmarkedRoot], [unmarkedRoot]),
    caseOf('with nine intermediates', 'accepted', longChain(root, 9), [root]),
    caseOf('that also sends 150 KB of other certificates', 'accepted', [direct, ...many(namesake, 350)], [root], {
      nodeDiffers: 'OpenSSL reads 100 KB of certificates at most',
    }),
    caseOf('that also sends 300 KB of other certificates', 'rejected', [direct, ...many(namesake, 700)], [root]),
    caseOf('that also sends 80 KB of other certificates', 'accepted', [direct, ...many(namesake, 180)], [root]),
    caseOf('with 120 intermediates', 'rejected', longChain(root, 120), [root]),
  ];
}

function many(certificate: SigningCertificate, count: number): readonly SigningCertificate[] {
  return Array.from({ length: count }, () => certificate);
}

/** The last certificate first. */
function longChain(root: SigningCertificate, length: number): readonly [SigningCertificate, ...SigningCertificate[]] {
  const intermediates: SigningCertificate[] = [];
  for (let index = 0; index < length; index++) {
    intermediates.unshift(authority(`intermediate ${index}`, {}, intermediates[0] ?? root));
  }
  return [server(intermediates[0] ?? root), ...intermediates];
}

function dates(): readonly TlsCase[] {
  const root = authority('root');
  const intermediate = authority('intermediate', {}, root);
  const periods = [
    ['has expired', EXPIRED],
    ['is not yet valid', NOT_YET_VALID],
  ] as const;
  return periods.flatMap(([when, period]) => {
    const badRoot = authority('root', period);
    const badIntermediate = authority('intermediate', period, root);
    const sameKey = authority('intermediate', { key: badIntermediate.key }, root);
    return [
      caseOf(`whose certificate ${when}`, 'rejected', [server(root, period)], [root]),
      caseOf(`whose certificate ${when} and is the authority`, 'rejected', ...twice(server(root, period))),
      caseOf(`whose intermediate ${when}`, 'rejected', [server(badIntermediate), badIntermediate], [root]),
      caseOf(`whose root ${when}`, 'rejected', [server(badRoot)], [badRoot]),
      caseOf(
        `whose root ${when}, but whose intermediate is an authority`,
        'accepted',
        [server(intermediate), intermediate],
        [authority('root', { ...period, key: root.key }), intermediate],
      ),
      caseOf(
        `whose intermediate ${when}, but who also sends a valid one with its key`,
        'accepted',
        [server(badIntermediate), badIntermediate, sameKey],
        [root],
      ),
    ];
  });
}

function twice(
  certificate: SigningCertificate,
): readonly [readonly [SigningCertificate], readonly SigningCertificate[]] {
  return [[certificate], [certificate]];
}

function usages(): readonly TlsCase[] {
  const root = authority('root');
  const leafWith = (...extensions: readonly Uint8Array[]) =>
    [server(root, { extensions: [...extensions, NAMES] })] as const;
  const below = (...extensions: readonly Uint8Array[]) => {
    const intermediate = authority('intermediate', { extensions }, root);
    return [server(intermediate), intermediate] as const;
  };
  const signing = keyUsage('keyCertSign');
  const endEntity = server(root);
  const rooted = (name: string, extensions: readonly Uint8Array[], more: Partial<TlsCase> = {}) => {
    const otherRoot = authority('other root', { extensions });
    return caseOf(name, 'rejected', [server(otherRoot)], [otherRoot], more);
  };
  return [
    caseOf('whose certificate has no extended key usage', 'accepted', leafWith(isNoAuthority), [root]),
    caseOf('whose certificate is for clients', 'rejected', leafWith(isNoAuthority, extendedKeyUsage('client')), [root]),
    caseOf(
      'whose certificate is for servers and clients',
      'accepted',
      leafWith(isNoAuthority, extendedKeyUsage('client', 'server')),
      [root],
    ),
    caseOf('whose certificate is for any usage', 'accepted', leafWith(isNoAuthority, extendedKeyUsage('any')), [root], {
      nodeDiffers: 'OpenSSL requires the usage "server" to be named',
    }),
    caseOf(
      'whose certificate may only sign others',
      'accepted',
      leafWith(isNoAuthority, signing),
      [root],
      UNUSABLE_KEY,
    ),
    caseOf('whose certificate is that of an authority', 'accepted', leafWith(...AUTHORITY), [root], UNUSABLE_KEY),
    caseOf('whose certificate has an unknown critical extension', 'rejected', leafWith(...SERVER, unknownCritical), [
      root,
    ]),
    caseOf('whose intermediate has an unknown critical extension', 'rejected', below(...AUTHORITY, unknownCritical), [
      root,
    ]),
    caseOf('whose intermediate has no basic constraints', 'rejected', below(signing), [root]),
    caseOf('whose intermediate is not an authority', 'rejected', below(isNoAuthority, signing), [root]),
    caseOf(
      'whose intermediate may not sign certificates',
      'rejected',
      below(isAuthority(), keyUsage('digitalSignature')),
      [root],
    ),
    caseOf('whose intermediate has no key usage', 'accepted', below(isAuthority()), [root]),
    caseOf('whose intermediate is for servers', 'accepted', below(...AUTHORITY, extendedKeyUsage('server')), [root]),
    caseOf('whose intermediate is for clients', 'rejected', below(...AUTHORITY, extendedKeyUsage('client')), [root]),
    caseOf('whose certificate was signed by another server', 'rejected', [server(endEntity), endEntity], [root]),
    rooted('whose root has an unknown critical extension', [...AUTHORITY, unknownCritical]),
    rooted('whose root has no basic constraints', [signing], {
      nodeDiffers: 'OpenSSL accepts it because its key may sign certificates',
    }),
    rooted('whose root is not an authority', [isNoAuthority, signing]),
    rooted('whose root is for clients', [...AUTHORITY, extendedKeyUsage('client')]),
  ];
}

function pathLengths(): readonly TlsCase[] {
  const limited = (pathLength: number) =>
    authority(`root ${pathLength}`, { extensions: [isAuthority(pathLength), keyUsage('keyCertSign')] });
  const none = limited(0);
  const one = limited(1);
  const belowNone = authority('intermediate', {}, none);
  const upper = authority('upper', {}, one);
  const lower = authority('lower', {}, upper);
  return [
    caseOf('whose root permits no intermediate, signed by it', 'accepted', [server(none)], [none]),
    caseOf('whose root permits no intermediate, with one', 'rejected', [server(belowNone), belowNone], [none]),
    caseOf('whose root permits one intermediate, with one', 'accepted', [server(upper), upper], [one]),
    caseOf('whose root permits one intermediate, with two', 'rejected', [server(lower), lower, upper], [one]),
  ];
}

function crossSigned(): readonly TlsCase[] {
  const oldRoot = authority('old root');
  const newRoot = authority('new root');
  const newByOld = authority('new root', { key: newRoot.key }, oldRoot);
  const leaf = server(newRoot);
  const intermediateByOld = authority('intermediate', {}, oldRoot);
  const intermediateByNew = authority('intermediate', { key: intermediateByOld.key }, newRoot);
  const under = server(intermediateByOld);
  return [
    caseOf('of a new root that the old one has signed, for the old one', 'accepted', [leaf, newByOld], [oldRoot]),
    caseOf('of a new root that the old one has signed, for the new one', 'accepted', [leaf, newByOld], [newRoot]),
    caseOf('of a new root that the old one has signed, for both', 'accepted', [leaf, newByOld], [oldRoot, newRoot]),
    caseOf(
      'whose intermediate was signed by two roots, for the first',
      'accepted',
      [under, intermediateByOld, intermediateByNew],
      [oldRoot],
    ),
    caseOf(
      'whose intermediate was signed by two roots, for the second',
      'accepted',
      [under, intermediateByOld, intermediateByNew],
      [newRoot],
      { nodeDiffers: 'OpenSSL follows one chain only; Go tries all of them' },
    ),
  ];
}
