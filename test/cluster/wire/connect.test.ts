import { once } from 'node:events';
import { createServer } from 'node:tls';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { startConnection } from '../../../src/cluster/wire/connect.ts';
import { parseServerUrl } from '../../../src/cluster/wire/server-url.ts';
import { ERROR_CODE } from '../../../src/cni/error.ts';
import { makeCertificateAuthority } from '../../lab/certificates/certificate-authority.ts';
import type { Certificate } from '../../lab/certificates/certificate.ts';
import { clusterOf, expectClean, openLoopbackCluster, rejectionOf, soon, WEB } from '../loopback-cluster.ts';

describe('the identity of the server', () => {
  it('a server of another authority is not trusted, and gets no token', async () => {
    await using other = await openLoopbackCluster();
    await using loopback = await openLoopbackCluster();
    loopback.api.writeKubeconfig(loopback.kubeconfigPath, {
      cluster: clusterOf(other.kubeconfigPath, loopback.api.url),
    });
    const error = await rejectionOf(loopback.cluster.readPod(WEB, soon()));
    expect(error.code).toBe(ERROR_CODE.apiRefused);
    expect(error.message).toMatch(
      /is not trusted .*the certificate authority in the kubeconfig .*: put the cluster's CA there/,
    );
    expect(loopback.api.requests).toHaveLength(0);
    expectClean(error, loopback.logged);
  });

  it('a server of another name is not trusted', async () => {
    await using loopback = await openLoopbackCluster({ names: ['api.example', '10.0.0.1'] });
    const error = await rejectionOf(loopback.cluster.readPod(WEB, soon()));
    expect(error.code).toBe(ERROR_CODE.apiRefused);
    expect(error.message).toMatch(/not for "127.0.0.1", but for "DNS:api.example, IP Address:10.0.0.1"/);
  });

  it('a server whose certificate has expired is not trusted', async () => {
    await using loopback = await openLoopbackCluster({ certificateEndsAt: new Date(1e12) });
    expect((await rejectionOf(loopback.cluster.readPod(WEB, soon()))).message).toMatch(
      /CERT_HAS_EXPIRED.*not valid at this time/,
    );
  });

  for (const name of ['api.example', '10.0.0.1']) {
    it(`tls-server-name ${name} must be in the certificate`, async () => {
      await using loopback = await openLoopbackCluster({ names: ['api.example', '10.0.0.1'] });
      const { api, cluster, kubeconfigPath } = loopback;
      api.writeKubeconfig(kubeconfigPath, {
        cluster: { ...clusterOf(kubeconfigPath, api.url), 'tls-server-name': name },
      });
      expect(await cluster.readPod(WEB, soon())).toMatchObject(WEB);
    });
  }

  it('insecure-skip-tls-verify accepts any certificate', async () => {
    await using loopback = await openLoopbackCluster({ names: ['api.example'] });
    const { api, cluster, kubeconfigPath } = loopback;
    api.writeKubeconfig(kubeconfigPath, { cluster: { server: api.url, 'insecure-skip-tls-verify': true } });
    expect(await cluster.readPod(WEB, soon())).toMatchObject(WEB);
  });

  it('NODE_TLS_REJECT_UNAUTHORIZED=0 changes nothing', async () => {
    await using loopback = await openLoopbackCluster({ names: ['api.example'] });
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    try {
      expect((await rejectionOf(loopback.cluster.readPod(WEB, soon()))).message).toContain('is not trusted');
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it('https:// to a server without TLS is an error that says so', async () => {
    await using loopback = await openLoopbackCluster({ scheme: 'http' });
    const { api, cluster, kubeconfigPath } = loopback;
    api.writeKubeconfig(kubeconfigPath, { server: api.url.replace('http:', 'https:') });
    const error = await rejectionOf(cluster.readPod(WEB, soon()));
    expect(error).toMatchObject({
      code: ERROR_CODE.apiRefused,
      message: expect.stringContaining('does not speak TLS'),
    });
  });

  it('http:// to a server with TLS is an error', async () => {
    await using loopback = await openLoopbackCluster();
    const { api, cluster, kubeconfigPath } = loopback;
    api.writeKubeconfig(kubeconfigPath, { server: api.url.replace('https:', 'http:') });
    expect((await rejectionOf(cluster.readPod(WEB, soon()))).code).toBe(ERROR_CODE.tryAgainLater);
  });
});

describe('like the TLS library of Go, podwire', () => {
  const root = makeCertificateAuthority('root');
  const intermediate = root.issueAuthority('intermediate');
  const leaf = intermediate.issue({ commonName: 'server', subjectAlternativeNames: ['127.0.0.1', 'api.example'] });
  const chain = { ...leaf, certificatePem: leaf.certificatePem + intermediate.certificatePem };

  interface Server {
    readonly certificate: Certificate;
    readonly authority: string;
    readonly serverName?: string;
  }
  async function connect({ certificate, authority, serverName }: Server): Promise<'accepted' | 'rejected'> {
    const server = createServer({ cert: certificate.certificatePem, key: certificate.keyPem }, (socket) =>
      socket.end(),
    );
    server.on('tlsClientError', () => undefined);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const certificateAuthority = { text: authority, source: 'the test' };
    const tls = { verification: 'full', certificateAuthority, clientCertificate: undefined, serverName } as const;
    const connection = {
      server: parseServerUrl(`https://127.0.0.1:${port}`),
      serverSource: 'the test',
      tls,
      token: undefined,
    };
    const pending = startConnection(connection, { connectMs: 5000, handshakeMs: 5000 });
    const verdict = await pending.ready.then(
      () => 'accepted' as const,
      () => 'rejected' as const,
    );
    pending.abandon();
    return verdict;
  }

  const judges = (what: string, server: Server, verdict: 'accepted' | 'rejected') =>
    it(`${verdict === 'accepted' ? 'accepts' : 'rejects'} ${what}`, async () =>
      expect(await connect(server)).toBe(verdict));
  judges('the root as authority', { certificate: chain, authority: root.certificatePem }, 'accepted');
  judges('an intermediate as authority', { certificate: chain, authority: intermediate.certificatePem }, 'accepted');
  judges(
    'the server’s own certificate as authority',
    { certificate: chain, authority: leaf.certificatePem },
    'accepted',
  );
  judges('a chain without its intermediate', { certificate: leaf, authority: root.certificatePem }, 'rejected');
  const bundle = `text between blocks\r\n${makeCertificateAuthority('other').certificatePem}\r\n${root.certificatePem}`;
  judges(
    'a bundle with other authorities and text between them',
    { certificate: chain, authority: bundle },
    'accepted',
  );
  const named = (serverName: string) => ({ certificate: chain, authority: root.certificatePem, serverName });
  judges('a server name with a trailing dot', named('api.example.'), 'accepted');
  judges('a server name in another case', named('API.example'), 'accepted');
  judges('a server name that is a suffix', named('example'), 'rejected');
  const unnamed = intermediate.issue({ commonName: 'api.example' });
  const commonNameOnly = { ...unnamed, certificatePem: unnamed.certificatePem + intermediate.certificatePem };
  const byCommonName = { certificate: commonNameOnly, authority: root.certificatePem, serverName: 'api.example' };
  judges('a name that is only the common name', byCommonName, 'rejected');
  const wildcard = intermediate.issue({ commonName: 'server', subjectAlternativeNames: ['*.pods.example'] });
  const wild = { ...wildcard, certificatePem: wildcard.certificatePem + intermediate.certificatePem };
  const matching = (serverName: string) => ({ certificate: wild, authority: root.certificatePem, serverName });
  judges('one label for a wildcard', matching('api.pods.example'), 'accepted');
  judges('two labels for a wildcard', matching('a.api.pods.example'), 'rejected');
});
