import type { CertificateContents, KeyKind } from '../../../lab/certificates/certificate.ts';
import { authority, caseOf, server, type TlsCase } from './tls-case.ts';

/** Kinds of keys, and hashes of signatures. */
export function keyCases(): readonly TlsCase[] {
  const signed = (what: string, verdict: TlsCase['verdict'], contents: Partial<CertificateContents>, more = {}) => {
    const root = authority('root');
    return caseOf(`whose key is ${what}`, verdict, [server(root, contents)], [root], more);
  };
  const below = (what: string, verdict: TlsCase['verdict'], contents: Partial<CertificateContents>, more = {}) => {
    const root = authority('root', contents);
    return caseOf(`whose root has the key ${what}`, verdict, [server(root)], [root], more);
  };
  const KINDS: readonly KeyKind[] = ['P-256', 'P-384', 'P-521', 'Ed25519', 'RSA-2048'];
  const WEAK = { nodeDiffers: '1024 bits are too weak for it; Go accepts them' };
  return [
    ...KINDS.map((kind) => signed(kind, 'accepted', { key: kind })),
    ...KINDS.map((kind) => below(kind, 'accepted', { key: kind })),
    signed('RSA-4096', 'accepted', { key: 'RSA-4096' }),
    signed('RSA-1024', 'accepted', { key: 'RSA-1024' }, WEAK),
    below('RSA-1024', 'accepted', { key: 'RSA-1024' }, WEAK),
    ...sha1Signatures(),
  ];
}

function sha1Signatures(): readonly TlsCase[] {
  const root = authority('root', { key: 'RSA-2048' });
  const weakRoot = authority('weak root', { key: 'RSA-2048', hash: 'sha1' });
  const ecRoot = authority('root on a curve');
  const intermediate = authority('intermediate', { hash: 'sha1' }, root);
  const ecLeaf = server(ecRoot, { hash: 'sha1' });
  return [
    caseOf('whose certificate is signed with SHA-1 and RSA', 'rejected', [server(root, { hash: 'sha1' })], [root]),
    caseOf('whose certificate is signed with SHA-1 and ECDSA', 'rejected', [ecLeaf], [ecRoot]),
    caseOf('whose intermediate is signed with SHA-1', 'rejected', [server(intermediate), intermediate], [root]),
    caseOf('whose root is signed with SHA-1', 'accepted', [server(weakRoot)], [weakRoot]),
    caseOf('whose certificate is signed with SHA-1, and is the authority', 'accepted', [ecLeaf], [ecLeaf]),
  ];
}
