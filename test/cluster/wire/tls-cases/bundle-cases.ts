import { authority, caseOf, pem, server, type TlsCase } from './tls-case.ts';

/** Files with the certificates of authorities, as people put them together. */
export function bundleCases(): readonly TlsCase[] {
  const root = authority('root');
  const others = Array.from({ length: 150 }, (_, index) => authority(`other ${index}`));
  const other = pem(...others.slice(0, 1));
  const right = root.certificatePem;
  const bundle = (name: string, verdict: TlsCase['verdict'], authorities: string, more: Partial<TlsCase> = {}) =>
    caseOf(`whose authority is in a file ${name}`, verdict, [server(root)], [], { authorities, ...more });
  const STOPS = { nodeDiffers: 'it reads nothing after a block that it cannot read' };
  const oneLine = right.replaceAll(/([A-Za-z0-9+/=])\n(?!-)/g, '$1');
  const firstBodyLine = /(?<=CERTIFICATE-----\n)./;
  return [
    bundle('with one certificate', 'accepted', right),
    bundle('with 151 certificates, the last of which is the right one', 'accepted', pem(...others) + right),
    bundle('with 150 certificates, none of which is the right one', 'rejected', pem(...others)),
    bundle('with the same certificate several times', 'accepted', right.repeat(3) + other + other),
    bundle(
      'with text between the certificates',
      'accepted',
      `# other\n${other}\n\nsubject=CN = root\n${right}\nthe end`,
    ),
    bundle('with line breaks of Windows', 'accepted', (other + right).replaceAll('\n', '\r\n')),
    bundle('with spaces at the ends of lines', 'accepted', (other + right).replaceAll('\n', ' \n')),
    bundle('without a line break at its end', 'accepted', right.trimEnd()),
    bundle('with each certificate on one line', 'accepted', oneLine),
    bundle('that also has a private key', 'accepted', root.keyPem + right),
    bundle('that also has a block of another kind', 'accepted', block('X509 CRL', 'AAAA') + right),
    bundle('that also has a certificate with headers', 'accepted', withHeader(other) + right, STOPS),
    bundle('that also has a damaged certificate', 'accepted', other.replace(firstBodyLine, '!') + right, STOPS),
    bundle('that also has a certificate that is not DER', 'accepted', block('CERTIFICATE', 'AAAA') + right, STOPS),
    bundle('that also has an empty block', 'accepted', block('CERTIFICATE', '') + right, STOPS),
    bundle('that ends in the middle of a certificate', 'accepted', right + other.slice(0, 200)),
    bundle('that begins in the middle of a certificate', 'accepted', other.slice(200) + right),
    bundle('that also has an incomplete certificate before it', 'accepted', `${other.slice(0, 200)}\n${right}`, STOPS),
    bundle('with indented lines', 'rejected', right.replaceAll(/^/gm, '  ')),
    bundle('with a word in front of the certificate', 'rejected', `word ${right}`),
    bundle('whose only certificate is damaged', 'rejected', right.replace(firstBodyLine, '!')),
    bundle('whose only certificate is incomplete', 'rejected', right.slice(0, 200)),
    bundle('that has only a private key', 'rejected', root.keyPem),
    bundle('that is empty', 'rejected', ''),
  ];
}

function block(kind: string, base64: string): string {
  return `-----BEGIN ${kind}-----\n${base64}\n-----END ${kind}-----\n`;
}

function withHeader(certificate: string): string {
  return certificate.replace('CERTIFICATE-----\n', 'CERTIFICATE-----\nComment: other\n\n');
}
