import { describe, expect, it, vi } from 'vitest';
import { ERROR_CODE } from '../../../src/cni/error.ts';
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
