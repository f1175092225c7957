import { authority, caseOf, server, type TlsCase } from './tls-case.ts';

/** Versions of TLS, ciphers, and the protocols that are agreed on inside of it. */
export function protocolCases(): readonly TlsCase[] {
  const root = authority('root');
  const leaf = server(root);
  const rsaLeaf = server(root, { key: 'RSA-2048' });
  const speaking = (
    name: string,
    verdict: TlsCase['verdict'],
    settings: TlsCase['server'],
    more: Partial<TlsCase> = {},
  ) => {
    const plain = caseOf(name, verdict, [leaf], [root], more);
    return { ...plain, server: { ...plain.server, ...settings } };
  };
  const RSA = { cert: rsaLeaf.certificatePem, key: rsaLeaf.keyPem };
  const with12 = (ciphers: string) => ({ maxVersion: 'TLSv1.2', ciphers }) as const;
  return [
    speaking('that speaks TLS 1.0', 'rejected', { minVersion: 'TLSv1', maxVersion: 'TLSv1' }),
    speaking('that speaks TLS 1.1', 'rejected', { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' }),
    speaking('that speaks TLS 1.2', 'accepted', { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }),
    speaking('that speaks TLS 1.3', 'accepted', { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' }),
    speaking('with AES-128', 'accepted', with12('ECDHE-ECDSA-AES128-GCM-SHA256')),
    speaking('with AES-256', 'accepted', with12('ECDHE-ECDSA-AES256-GCM-SHA384')),
    speaking('with ChaCha20', 'accepted', with12('ECDHE-ECDSA-CHACHA20-POLY1305')),
    speaking('with RSA signatures', 'accepted', { ...RSA, ...with12('ECDHE-RSA-AES128-GCM-SHA256') }),
    speaking(
      'without forward secrecy',
      'rejected',
      { ...RSA, ...with12('AES256-GCM-SHA384') },
      {
        nodeDiffers: 'its default ciphers include it',
      },
    ),
    speaking('without encryption', 'rejected', with12('ECDHE-ECDSA-NULL-SHA:@SECLEVEL=0')),
    speaking('with the group X25519', 'accepted', { ecdhCurve: 'X25519' }),
    speaking('with the group P-256', 'accepted', { ecdhCurve: 'P-256' }),
    speaking('with the group P-384', 'accepted', { ecdhCurve: 'P-384' }),
    speaking('with the group P-521', 'accepted', { ecdhCurve: 'P-521' }),
    speaking('with another group', 'rejected', { ecdhCurve: 'X448' }),
    speaking('that ignores application protocols', 'accepted', {}),
    speaking('that speaks HTTP/1.1 and HTTP/2', 'accepted', { ALPNProtocols: ['h2', 'http/1.1'] }),
    speaking('that speaks only HTTP/2', 'rejected', { ALPNProtocols: ['h2'] }),
  ];
}
