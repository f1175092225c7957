import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readConnection, type ApiConnection } from '../../../src/cluster/credentials/connection.ts';
import { makeCertificateAuthority } from '../../lab/certificates/certificate-authority.ts';
import { connectionSettings, CANARY, makeFolder, rejectionOf } from '../loopback-cluster.ts';

const authority = makeCertificateAuthority('ca');
const client = authority.issue({ commonName: 'me' });
const base64 = (text: string) => Buffer.from(text).toString('base64');

interface Given {
  readonly cluster?: object;
  readonly user?: object;
  readonly files?: Readonly<Record<string, string>>;
  readonly config?: Parameters<typeof connectionSettings>[0];
  readonly environment?: Readonly<Record<string, string>>;
}

/** A connection from a kubeconfig with this cluster and user; `FOLDER` in texts is the folder that it and the files are in. */
async function connectionOf({ cluster, user, files = {}, config, environment = {} }: Given): Promise<ApiConnection> {
  using folder = makeFolder();
  const here = (text: string) => text.replaceAll('FOLDER', folder.path);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder.path, name), text);
  const kubeconfigPath = join(folder.path, 'kubeconfig');
  const kubeconfig = {
    'current-context': 'c',
    contexts: [
      { name: 'c', context: { cluster: 'k', user: 'u' } },
      { name: 'other', context: { cluster: 'k2' } },
    ],
    clusters: [
      { name: 'k', cluster: cluster ?? { server: 'https://10.0.0.1:6443' } },
      { name: 'k2', cluster: { server: 'https://10.0.0.2' } },
    ],
    users: [{ name: 'u', user: user ?? { token: CANARY } }],
  };
  writeFileSync(kubeconfigPath, here(JSON.stringify(kubeconfig)));
  const settings = Object.fromEntries(Object.entries(config ?? {}).map(([key, value]) => [key, value && here(value)]));
  const variables = Object.fromEntries(Object.entries(environment).map(([key, value]) => [key, here(value)]));
  const from = connectionSettings({ ...('KUBECONFIG' in environment ? {} : { kubeconfigPath }), ...settings });
  return await readConnection(from, variables);
}

describe('what is read', () => {
  it('server, token and the roots of Node', async () => {
    const connection = await connectionOf({});
    expect(connection).toMatchObject({
      server: { text: 'https://10.0.0.1:6443', host: '10.0.0.1', port: 6443 },
      tls: {
        verification: 'full',
        certificateAuthority: undefined,
        clientCertificate: undefined,
        serverName: undefined,
      },
    });
    expect(connection.token?.reveal()).toBe(CANARY);
  });
  it('data in the kubeconfig itself', async () => {
    const connection = await connectionOf({
      cluster: {
        server: 'https://a',
        'certificate-authority-data': base64(authority.certificatePem),
        'tls-server-name': 'b',
      },
      user: { 'client-certificate-data': base64(client.certificatePem), 'client-key-data': base64(client.keyPem) },
    });
    expect(connection.tls).toMatchObject({ certificateAuthority: { text: authority.certificatePem }, serverName: 'b' });
    expect(connection.tls?.clientCertificate?.key.reveal()).toBe(client.keyPem);
  });
  it('files beside the kubeconfig and elsewhere', async () => {
    const connection = await connectionOf({
      cluster: { server: 'https://a', 'certificate-authority': 'ca.pem' },
      user: { tokenFile: 'FOLDER/token', token: 'older' },
      files: { 'ca.pem': authority.certificatePem, token: `${CANARY}\n` },
    });
    expect(connection.tls?.certificateAuthority?.text).toBe(authority.certificatePem);
    expect(connection.token?.reveal()).toBe(CANARY);
  });
  it('another context, by K8S_CURRENT_CONTEXT', async () => {
    const connection = await connectionOf({ environment: { K8S_CURRENT_CONTEXT: 'other' } });
    expect(connection).toMatchObject({ server: { text: 'https://10.0.0.2' }, token: undefined });
  });
  it('single keys of the network configuration win over the kubeconfig', async () => {
    const connection = await connectionOf({
      config: { apiRoot: 'https://b:1', token: 'mine', certificateAuthorityPath: 'FOLDER/ca' },
      files: { ca: authority.certificatePem },
    });
    expect(connection).toMatchObject({
      server: { text: 'https://b:1' },
      tls: { certificateAuthority: { text: authority.certificatePem } },
    });
    expect(connection.token?.reveal()).toBe('mine');
  });
  it('the network configuration wins over the environment, one key at a time', async () => {
    const connection = await connectionOf({
      config: { apiRoot: 'https://b' },
      environment: { K8S_API_ENDPOINT: 'https://c', K8S_TOKEN: 't' },
    });
    expect(connection.server.text).toBe('https://b');
    expect(connection.token).toMatchObject({ source: 'K8S_TOKEN in the environment' });
  });
  it('the environment alone is enough', async () => {
    const connection = await readConnection(connectionSettings(), {
      K8S_API_ENDPOINT: 'https://c',
      K8S_TOKEN: 't',
      DATASTORE_TYPE: 'kubernetes',
    });
    expect(connection.server.text).toBe('https://c');
  });
  it('K8S_INSECURE_SKIP_TLS_VERIFY switches verification off', async () => {
    expect((await connectionOf({ environment: { K8S_INSECURE_SKIP_TLS_VERIFY: 'true' } })).tls?.verification).toBe(
      'off',
    );
  });
  it('without any configuration a pod finds its own account', async () => {
    using folder = makeFolder();
    writeFileSync(join(folder.path, 'token'), CANARY);
    writeFileSync(join(folder.path, 'ca.crt'), authority.certificatePem);
    const environment = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' };
    const connection = await readConnection(connectionSettings(), environment, folder.path);
    expect(connection).toMatchObject({ server: { host: 'fd00::1', port: 6443 } });
  });
  it('printing it shows neither token nor key', async () => {
    const connection = await connectionOf({
      user: {
        token: CANARY,
        'client-certificate-data': base64(client.certificatePem),
        'client-key-data': base64(client.keyPem),
      },
    });
    const { inspect } = await import('node:util');
    expect(`${JSON.stringify(connection)} ${inspect(connection, { depth: 9 })}`).not.toMatch(
      new RegExp(`${CANARY}|PRIVATE`),
    );
  });
});

describe('what is refused', () => {
  const refuses = (why: string, given: Given, code: number, message: RegExp) =>
    it(`${why}, with code ${code}`, async () => {
      const error = await rejectionOf(connectionOf(given));
      expect(error.message).toMatch(message);
      expect(error.code).toBe(code);
      expect(`${error.message} ${error.details} ${error.stack} ${String(error.cause)}`).not.toContain(CANARY);
    });
  refuses(
    'another datastore',
    { config: { datastoreType: 'etcdv3' } },
    7,
    /datastore_type in the network configuration: expected "kubernetes" .*, got "etcdv3"/,
  );
  refuses(
    'another datastore in the environment',
    { environment: { DATASTORE_TYPE: 'etcdv3' } },
    7,
    /DATASTORE_TYPE in the environment/,
  );
  refuses(
    'a kubeconfig that is not there',
    { config: { kubeconfigPath: 'FOLDER/no' } },
    5,
    /does not exist \(ENOENT\); it is named by kubernetes.kubeconfig/,
  );
  refuses('a kubeconfig that is a folder', { config: { kubeconfigPath: 'FOLDER' } }, 7, /is a directory/);
  refuses('a kubeconfig below a file', { config: { kubeconfigPath: 'FOLDER/kubeconfig/x' } }, 5, /ENOTDIR/);
  const kubeconfig = (text: string) => ({ config: { kubeconfigPath: 'FOLDER/k' }, files: { k: text } });
  refuses('an empty kubeconfig', kubeconfig(' \n'), 7, /is empty/);
  refuses('a binary kubeconfig', kubeconfig('\x7fELF\0\0'), 7, /is binary/);
  refuses(
    'a broken kubeconfig',
    kubeconfig(`users:\n- user:\n    token: ${CANARY}\n  bad`),
    7,
    /is neither JSON nor YAML \(line \d+: /,
  );
  refuses('a broken JSON kubeconfig', kubeconfig(`{"token":"${CANARY}",`), 7, /is neither JSON nor YAML/);
  refuses('a kubeconfig that is a list', kubeconfig('[]'), 7, /cannot be used: expected an object, got a list/);
  refuses('a kubeconfig that is text', kubeconfig(CANARY), 7, /cannot be used: expected an object, got a string/);
  refuses(
    'a kubeconfig with aliases that explode',
    kubeconfig(`a: &a [x,x,x,x,x,x,x,x,x,x]\n${bombOf('abcdefgh')}`),
    7,
    /is neither JSON nor YAML|current-context/,
  );
  refuses('no current-context', kubeconfig('{"contexts":[]}'), 7, /current-context is missing/);
  refuses(
    'a context that is not there',
    { environment: { K8S_CURRENT_CONTEXT: 'x' } },
    7,
    /contexts has no "x"; it has "c", "other"/,
  );
  refuses(
    'exec',
    { user: { exec: { command: CANARY } } },
    7,
    /user "u" has exec: podwire does not run a program .*tokenFile/,
  );
  refuses(
    'auth-provider',
    { user: { 'auth-provider': { name: 'gcp' } } },
    7,
    /auth-provider: Kubernetes has removed it/,
  );
  refuses('a password', { user: { username: 'a', password: CANARY } }, 7, /no longer accept passwords/);
  refuses('impersonation', { user: { as: 'root' } }, 7, /podwire does not impersonate/);
  refuses('a proxy', { cluster: { server: 'https://a', 'proxy-url': 'http://p' } }, 7, /podwire uses no proxy/);
  refuses('no server', { cluster: {} }, 7, /the server in the kubeconfig .* is missing/);
  refuses('a server without scheme', { cluster: { server: '10.0.0.1:6443' } }, 7, /neither https:\/\/ nor http:\/\//);
  refuses('a server with a password', { cluster: { server: `https://a:${CANARY}@b` } }, 7, /has a user or password/);
  refuses(
    'a token over http to another machine',
    { cluster: { server: 'http://10.0.0.1' } },
    7,
    /would receive the token unencrypted/,
  );
  refuses(
    'a token with a line break',
    { user: { token: `${CANARY}\r\nX: y` } },
    7,
    /character that is not valid in a token/,
  );
  refuses(
    'a token that is a number',
    { user: { token: 5 } },
    7,
    /users\[0\]\.user\.token: expected a string, got a number/,
  );
  refuses('a token file that is not there', { user: { tokenFile: 'no' } }, 5, /the token file .*no does not exist/);
  refuses(
    'a token file that is empty',
    { user: { tokenFile: 't' }, files: { t: '\n' } },
    7,
    /the token file .* is empty/,
  );
  refuses(
    'an authority that is not PEM',
    { cluster: { server: 'https://a', 'certificate-authority': 'c' }, files: { c: 'x' } },
    7,
    /is not PEM/,
  );
  refuses(
    'an authority that is not base64',
    { cluster: { server: 'https://a', 'certificate-authority-data': '-----' } },
    7,
    /certificate-authority-data: expected base64/,
  );
  refuses(
    'a key without a certificate',
    { user: { 'client-key-data': base64(client.keyPem) } },
    7,
    /no client certificate/,
  );
  refuses(
    'a certificate without a key',
    { user: { 'client-certificate-data': base64(client.certificatePem) } },
    7,
    /no client key/,
  );
  const both = {
    server: 'https://a',
    'insecure-skip-tls-verify': true,
    'certificate-authority-data': base64(authority.certificatePem),
  };
  refuses(
    'insecure and an authority',
    { cluster: both },
    7,
    /both insecure-skip-tls-verify and a certificate authority/,
  );
  refuses(
    'neither true nor false',
    { environment: { K8S_INSECURE_SKIP_TLS_VERIFY: 'yes' } },
    4,
    /K8S_INSECURE_SKIP_TLS_VERIFY in the environment: expected true or false/,
  );

  it('nothing configured names all the places that were looked at', async () => {
    const { message } = await rejectionOf(readConnection(connectionSettings(), {}));
    for (const place of [
      'kubernetes.kubeconfig',
      'policy.k8s_api_root',
      'KUBECONFIG',
      'K8S_API_ENDPOINT',
      'KUBERNETES_SERVICE_HOST',
    ]) {
      expect(message).toContain(place);
    }
  });
});

function bombOf(names: string): string {
  return names
    .split('')
    .slice(1)
    .map((name, index) => `${name}: &${name} [${Array(10).fill(`*${names[index]}`).join(',')}]`)
    .join('\n');
}
