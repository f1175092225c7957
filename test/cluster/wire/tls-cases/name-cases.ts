import {
  alternativeEmail,
  alternativeNames,
  isAuthority,
  keyUsage,
  nameConstraints,
} from '../../../lab/certificates/extensions.ts';
import { authority, caseOf, server, SERVER, SERVER_NAME, type TlsCase } from './tls-case.ts';

/** Names in the server's certificate, and the names that a client expects. */
export function nameCases(): readonly TlsCase[] {
  return [...names(), ...wildcards(), ...addresses(), ...withoutNames(), ...withoutRoot(), ...constraints()];
}

const root = () => authority('root');

/** A server whose certificate has these names, for a client that expects this one. */
function named(
  name: string,
  verdict: TlsCase['verdict'],
  has: readonly string[],
  expects: string,
  more: Partial<TlsCase> = {},
): TlsCase {
  const issuer = root();
  const leaf = server(issuer, { extensions: [...SERVER, alternativeNames(...has)] });
  return caseOf(`${name}: ${expects}, and its certificate is for ${has.join(', ')}`, verdict, [leaf], [issuer], {
    serverName: expects,
    ...more,
  });
}

function names(): readonly TlsCase[] {
  return [
    named('of this name', 'accepted', ['api.example.org'], 'api.example.org'),
    named('of several names', 'accepted', ['a.example.org', '10.0.0.1', 'api.example.org'], 'api.example.org'),
    named('of a name in another case', 'accepted', ['API.example.org'], 'api.EXAMPLE.org'),
    named('of a name with a trailing dot', 'accepted', ['api.example.org'], 'api.example.org.'),
    named('with a trailing dot in its certificate', 'rejected', ['api.example.org.'], 'api.example.org', {
      nodeDiffers: 'it ignores a dot at the end of both names',
    }),
    named('of one label', 'accepted', ['kubernetes'], 'kubernetes'),
    named('of another name', 'rejected', ['api.example.org'], 'other.example.org'),
    named('of a domain below', 'rejected', ['api.example.org'], 'example.org'),
    named('of a domain above', 'rejected', ['example.org'], 'api.example.org'),
    named('of a name that only ends alike', 'rejected', ['api.example.org'], 'pi.example.org'),
    named('of a name that begins with a dot', 'rejected', ['api.example.org'], '.example.org'),
    named('with an underscore', 'accepted', ['my_api.example.org'], 'my_api.example.org'),
    named('in punycode', 'accepted', ['xn--bcher-kva.example.org'], 'xn--bcher-kva.example.org'),
    named('with a NUL in its certificate', 'rejected', ['api.example.org\0.evil.org'], 'api.example.org'),
  ];
}

function wildcards(): readonly TlsCase[] {
  return [
    named('of one label for a wildcard', 'accepted', ['*.example.org'], 'api.example.org'),
    named('of one label for a wildcard in another case', 'accepted', ['*.EXAMPLE.org'], 'API.example.ORG'),
    named('of one label for a wildcard, with a trailing dot', 'accepted', ['*.example.org'], 'api.example.org.'),
    named('of two labels for a wildcard', 'rejected', ['*.example.org'], 'a.api.example.org'),
    named('of no label for a wildcard', 'rejected', ['*.example.org'], 'example.org'),
    named('of a wildcard below a top-level domain', 'accepted', ['*.example'], 'api.example', {
      nodeDiffers: 'it requires two labels after the asterisk; Go does not',
    }),
    named('of a wildcard alone', 'rejected', ['*'], 'kubernetes'),
    named('of a wildcard for everything', 'rejected', ['*.*.org'], 'api.example.org'),
    named('of a wildcard in the middle', 'rejected', ['api.*.org'], 'api.example.org'),
    named('of a wildcard for a part of a label', 'rejected', ['a*.example.org'], 'api.example.org', {
      nodeDiffers: 'it takes an asterisk for a part of a label; Go does not',
    }),
    named('of a wildcard before a part of a label', 'rejected', ['*i.example.org'], 'api.example.org', {
      nodeDiffers: 'it takes an asterisk for a part of a label; Go does not',
    }),
    named('in punycode for a wildcard', 'accepted', ['*.example.org'], 'xn--bcher-kva.example.org'),
    named('with an underscore for a wildcard', 'accepted', ['*.example.org'], 'my_api.example.org'),
    named('with an underscore after a wildcard', 'accepted', ['*.my_zone.example.org'], 'api.my_zone.example.org'),
    named('of a name that is a wildcard', 'accepted', ['*.example.org'], '*.example.org'),
    named('of an address for a wildcard', 'rejected', ['*.0.0.1'], '10.0.0.1'),
  ];
}

function addresses(): readonly TlsCase[] {
  return [
    named('of an IPv4 address', 'accepted', ['10.0.0.1'], '10.0.0.1'),
    named('of another IPv4 address', 'rejected', ['10.0.0.1'], '10.0.0.2'),
    named('of an IPv6 address', 'accepted', ['fd00::1'], 'fd00::1'),
    named('of an IPv6 address in another form', 'accepted', ['fd00::1'], 'FD00:0:0::0001'),
    named('of another IPv6 address', 'rejected', ['fd00::1'], 'fd00::2'),
    named('of an IPv4 address that is written as IPv6', 'accepted', ['10.0.0.1'], '::ffff:10.0.0.1', {
      nodeDiffers: 'it compares the text; Go compares the addresses',
    }),
    named('of a name and an address, for the address', 'accepted', ['api.example.org', '10.0.0.1'], '10.0.0.1'),
    named('of an address, for a name', 'rejected', ['10.0.0.1'], 'api.example.org'),
  ];
}

function withoutNames(): readonly TlsCase[] {
  const issuer = root();
  const leaf = (commonName: string, ...extensions: readonly Uint8Array[]) =>
    [server(issuer, { commonName, extensions: [...SERVER, ...extensions] })] as const;
  return [
    caseOf('with its name only in the common name', 'rejected', leaf(SERVER_NAME), [issuer]),
    caseOf('with its address only in the common name', 'rejected', leaf('10.0.0.1'), [issuer], {
      serverName: '10.0.0.1',
    }),
    caseOf(
      'with its name in the common name, and an e-mail address as alternative name',
      'rejected',
      leaf(SERVER_NAME, alternativeEmail(`admin@${SERVER_NAME}`)),
      [issuer],
    ),
    caseOf(
      'with its name in the common name, and another alternative name',
      'rejected',
      leaf(SERVER_NAME, alternativeNames('other.example')),
      [issuer],
    ),
    caseOf('with an empty list of alternative names', 'rejected', leaf(SERVER_NAME, alternativeNames()), [issuer]),
    caseOf('with its address as a DNS name', 'rejected', leaf('server', alternativeNames('dns:10.0.0.1')), [issuer], {
      serverName: '10.0.0.1',
    }),
  ];
}

/** Its own certificate as authority, or an intermediate one, makes no name right. */
function withoutRoot(): readonly TlsCase[] {
  const intermediate = authority('intermediate', {}, root());
  const leaf = server(intermediate);
  const expectsOther = { serverName: 'other.example' };
  return [
    caseOf('of another name, whose own certificate is the authority', 'rejected', [leaf], [leaf], expectsOther),
    caseOf('of another name, whose intermediate is the authority', 'rejected', [leaf], [intermediate], expectsOther),
    caseOf('of an address, whose own certificate is the authority', 'rejected', [leaf], [leaf], {
      serverName: '10.0.0.1',
    }),
  ];
}

function constraints(): readonly TlsCase[] {
  const constrained = (
    name: string,
    verdict: TlsCase['verdict'],
    subtrees: Parameters<typeof nameConstraints>[0],
    more: Partial<TlsCase> = {},
  ): TlsCase => {
    const issuer = authority('constrained', {
      extensions: [isAuthority(), keyUsage('keyCertSign'), nameConstraints(subtrees)],
    });
    return caseOf(name, verdict, [server(issuer)], [issuer], more);
  };
  return [
    constrained('whose name its root may sign for', 'accepted', { permitted: ['cluster.example'] }),
    constrained('whose name its root may not sign for', 'rejected', { permitted: ['other.example'] }),
    constrained('whose name is excluded by its root', 'rejected', { excluded: ['cluster.example'] }),
    constrained('whose name is not excluded by its root', 'accepted', { excluded: ['other.example'] }),
  ];
}
