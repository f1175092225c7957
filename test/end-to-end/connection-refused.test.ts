import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/json/json.ts';
import { makeCertificateAuthority } from '../lab/certificates/certificate-authority.ts';
import { startTcpRelay, type TcpRelay } from '../support/servers/tcp-relay.ts';
import { attachPod, makeTestPod } from '../support/nodes/test-pod.ts';
import { startApiServerNode, type ApiServerNode } from '../support/nodes/api-server-node.ts';
import { useForAllTests, expectNoLeftovers } from '../support/suite/hooks.ts';
import { makeApiAccess, type ApiAccess, bindUser } from '../support/servers/api-access.ts';

let node: ApiServerNode;
let access: ApiAccess;
let elsewhere: TcpRelay;
useForAllTests(async () => (node = await startApiServerNode()));
useForAllTests(async () => (access = await makeApiAccess(node)));
useForAllTests(async () => (elsewhere = await startTcpRelay(access.server, { address: '127.0.0.2' })));
expectNoLeftovers(() => node);

const CA = { 'certificate-authority': 'ca.crt' } as const;

describe('an ADD without access fails, changes nothing, shows no token, and gives the reason:', () => {
  const refused = (why: string, code: number, message: RegExp, settings: () => Promise<JsonObject>) =>
    it(why, async () => {
      await using pod = await makeTestPod(node);
      const answered = await node.run({ ...pod.call, verb: 'ADD', config: node.netconf(await settings()) });
      expect(answered).toMatchObject({ exitCode: 1, answer: { code, msg: expect.stringMatching(message) } });
      expect(JSON.stringify(answered)).not.toContain(access.token);
      expect(await pod.annotations()).toEqual({});
    });
  const refusedKubeconfig = (why: string, code: number, message: RegExp, make: () => JsonObject) =>
    refused(why, code, message, () => withKubeconfig(make()));

  refusedKubeconfig(
    'a program that gets the credential',
    7,
    /has exec: podwire does not run a program to get a credential/,
    () => access.kubeconfig(CA, { exec: { command: '/bin/false', apiVersion: 'client.authentication.k8s.io/v1' } }),
  );
  refusedKubeconfig(
    'a CA that has not signed the server',
    100,
    /is not trusted .*was not signed by .*put the cluster's CA there/,
    () => {
      const { certificatePem } = makeCertificateAuthority('another authority');
      const cluster = { 'certificate-authority-data': Buffer.from(certificatePem).toString('base64') };
      return access.kubeconfig(cluster, { token: access.token });
    },
  );
  refusedKubeconfig(
    'no CA, where the server’s is private',
    100,
    /is not trusted .*no certificate authority is configured/,
    () => access.kubeconfig({}, { token: access.token }),
  );
  refusedKubeconfig(
    'a name that the server’s certificate has not',
    100,
    /its certificate is not for "127.0.0.2", but for/,
    () => access.kubeconfig({ server: elsewhere.url, ...CA }, { token: access.token }),
  );
  refusedKubeconfig('a token file that is missing', 5, /token file .*no-such-token does not exist/, () =>
    access.kubeconfig(CA, { tokenFile: 'no-such-token' }),
  );
  refusedKubeconfig('no credential', 100, /system:anonymous.* is not permitted to get (pods|nodes) \(403\)/, () =>
    access.kubeconfig(CA, {}),
  );
  refused('a kubeconfig that is missing', 5, /kubeconfig \/nowhere\/kubeconfig does not exist/, async () => ({
    kubernetes: { kubeconfig: '/nowhere/kubeconfig' },
  }));
  refused('another datastore', 7, /datastore_type .*: expected "kubernetes" .*, got "etcdv3"/, async () => ({
    datastore_type: 'etcdv3',
  }));
  refused('no API server at all', 7, /no API server is configured/, async () => ({ kubernetes: {} }));
  refused('a server that refuses connections', 11, /refuses connections \(ECONNREFUSED\)/, () =>
    withKubeconfig(access.kubeconfig({ server: 'https://127.0.0.1:1', ...CA }, { token: access.token })),
  );
});

it('a server is not trusted for what the environment says of authorities and verification', async () => {
  await using pod = await makeTestPod(node);
  const config = node.netconf(await withKubeconfig(access.kubeconfig({}, { token: access.token })));
  const environment = {
    NODE_TLS_REJECT_UNAUTHORIZED: '0',
    NODE_EXTRA_CA_CERTS: access.authorityPath,
    NODE_USE_SYSTEM_CA: '1',
    SSL_CERT_FILE: access.authorityPath,
  };
  const refused = await node.run({ ...pod.call, verb: 'ADD', config, environment });
  expect(refused).toMatchObject({ exitCode: 1, answer: { code: 100, msg: expect.stringContaining('is not trusted') } });
});

describe('403', () => {
  it('names verb, resource, account and the manifest that grants it', async () => {
    const { users } = node.cluster.kubeconfigWithClientCertificate({ commonName: 'stranger' });
    await using pod = await makeTestPod(node);
    const config = node.netconf(await withKubeconfig(access.kubeconfig(CA, { ...users[0].user })));
    const refused = await node.run({ ...pod.call, verb: 'ADD', config });
    const message =
      /"stranger" is not permitted to get (pods|nodes) \(403\): grant it to this account, as cni-conf\/rbac.yaml does for the account podwire \[PW403\]$/;
    expect(refused).toMatchObject({ exitCode: 1, answer: { code: 100, msg: expect.stringMatching(message) } });
  });

  it('of only the patch undoes what was done before', async () => {
    const reader = 'podwire-reader';
    await allowReading(reader);
    const { users } = node.cluster.kubeconfigWithClientCertificate({ commonName: reader });
    await using pod = await makeTestPod(node);
    const config = node.netconf(await withKubeconfig(access.kubeconfig(CA, { ...users[0].user })));
    const refused = await node.run({ ...pod.call, verb: 'ADD', config });
    expect(refused).toMatchObject({
      exitCode: 1,
      answer: { code: 100, msg: expect.stringContaining(`"${reader}" is not permitted to patch pods/status (403)`) },
    });
    expect(await pod.sandbox.ip('link', 'show', 'type', 'veth')).toEqual([]);
  });

  it('at DEL leaves the endpoint, and removes link and lease', async () => {
    const { users } = node.cluster.kubeconfigWithClientCertificate({ commonName: 'stranger' });
    await using pod = await attachPod(node);
    const config = node.netconf(await withKubeconfig(access.kubeconfig(CA, { ...users[0].user })));
    const removed = await node.run({ ...pod.call, verb: 'DEL', config });
    expect(removed).toMatchObject({
      exitCode: 0,
      stderr: expect.stringMatching(/^\S+ WARNING [^\n]*is not permitted to patch pods\/status[^\n]*\n$/),
    });
    expect(await pod.annotations()).toMatchObject({ 'cni.projectcalico.org/podIP': `${pod.ipv4}/32` });
    expect(await node.state()).toMatchObject({ leases: [] });
  });
});

describe('401', () => {
  it('names the file with the token, and shows nothing of the token', async () => {
    const path = await access.write('refused-token', 'no.such.token');
    await using pod = await makeTestPod(node);
    const config = node.netconf(await withKubeconfig(access.kubeconfig(CA, { tokenFile: path })));
    const refused = await node.run({ ...pod.call, verb: 'ADD', config });
    const message = `the token was refused (401): the token file ${path}: put a new token there`;
    expect(refused).toMatchObject({ exitCode: 1, answer: { code: 100, msg: expect.stringContaining(message) } });
    expect(JSON.stringify(refused)).not.toContain('no.such.token');
  });

  it('names account and expiry of a token that has them', async () => {
    const { token } = await node.cluster.createPluginAccount({ nodeName: node.name });
    const [header = '', claims = ''] = token.split('.');
    await using pod = await makeTestPod(node);
    const config = node.netconf(
      await withKubeconfig(access.kubeconfig(CA, { token: `${header}.${claims}.c2lnbmF0dXJl` })),
    );
    const refused = await node.run({ ...pod.call, verb: 'ADD', config });
    const message =
      /\(401\): user "u" in the kubeconfig \S+, of "system:serviceaccount:kube-system:podwire", which expires at 20/;
    expect(refused).toMatchObject({ exitCode: 1, answer: { code: 100, msg: expect.stringMatching(message) } });
  });

  it('of a token that is renewed meanwhile is followed by a retry with the new token', async () => {
    const path = await access.write('rotated-token', 'no.such.token');
    // When the first connection arrives, the old token has been read.
    const onConnection = () => access.write('rotated-token', access.token).then(() => undefined);
    await using relay = await startTcpRelay(access.server, { onConnection });
    const user = { tokenFile: path };
    const config = node.netconf(await withKubeconfig(access.kubeconfig({ server: relay.url, ...CA }, user)));
    await using pod = await attachPod(node, { config });
    expect(pod.added).toMatchObject({ exitCode: 0, stderr: '' });
    expect(relay.opened()).toBe(2);
    expect(await pod.annotations()).toMatchObject({ 'cni.projectcalico.org/podIP': `${pod.ipv4}/32` });
  });
});

async function withKubeconfig(kubeconfig: JsonObject): Promise<JsonObject> {
  return { kubernetes: { kubeconfig: await access.write('kubeconfig', JSON.stringify(kubeconfig)) } };
}

async function allowReading(user: string): Promise<void> {
  await node.cluster.admin.create('/apis/rbac.authorization.k8s.io/v1/clusterroles', {
    metadata: { name: user },
    rules: [{ apiGroups: [''], resources: ['pods', 'nodes'], verbs: ['get'] }],
  });
  await bindUser(node.cluster, user, { role: user, allowed: { verb: 'get', resource: 'pods' } });
}
