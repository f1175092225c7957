import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ApiClientOptions } from '../../src/cluster/api-client.ts';
import { readConnection } from '../../src/cluster/credentials/connection.ts';
import { openTokenIssuer } from '../../src/cluster/token-issuer.ts';
import { makeKubeconfig } from '../lab/api-server/kubeconfig.ts';
import { startTokenServer, type TokenServer } from '../support/servers/token-server.ts';
import { connectionSettings, makeFolder, openLoopbackCluster, rejectionOf, soon } from './loopback-cluster.ts';

const ORDER = { namespace: 'kube-system', account: 'podwire', nodeName: 'node-1', lifeSeconds: 86_400 };

function optionsFor(kubeconfigPath: string): ApiClientOptions {
  return {
    connect: () => readConnection(connectionSettings({ kubeconfigPath }), {}),
    budgets: { apiConnectMs: 2000, apiRequestMs: 2000 },
    log: { debug: () => undefined },
  };
}

function optionsOf(server: TokenServer, folder: string): ApiClientOptions {
  const path = join(folder, 'kubeconfig');
  writeFileSync(path, JSON.stringify(makeKubeconfig(server.url, server.certificateAuthorityPem, { token: 'mine' })));
  return optionsFor(path);
}

describe('a token', () => {
  it("is requested with the Node's uid, and its lifetime is counted by the server's clock", async () => {
    using folder = makeFolder();
    await using server = await startTokenServer(3_600_000);
    using issuer = openTokenIssuer(optionsOf(server, folder.path));
    const { token, lifeMs, connection } = await issuer.issue(ORDER, soon());
    expect([token.reveal(), lifeMs, connection.server.text]).toEqual(['token-1', 3_600_000, server.url]);
    expect(server.orders).toEqual([
      {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: {
          expirationSeconds: 86_400,
          boundObjectRef: { apiVersion: 'v1', kind: 'Node', name: 'node-1', uid: 'uid-1' },
        },
      },
    ]);
  });

  it('does not show when it is printed', async () => {
    using folder = makeFolder();
    await using server = await startTokenServer(3_600_000);
    using issuer = openTokenIssuer(optionsOf(server, folder.path));
    expect(JSON.stringify(await issuer.issue(ORDER, soon()))).not.toContain('token-1');
  });

  it('for a Node that does not exist is refused by its name', async () => {
    await using loopback = await openLoopbackCluster();
    using issuer = openTokenIssuer(optionsFor(loopback.kubeconfigPath));
    const error = await rejectionOf(issuer.issue({ ...ORDER, nodeName: 'nowhere' }, soon()));
    expect(error).toMatchObject({ code: 7, message: expect.stringContaining('no node nowhere') });
  });
});
