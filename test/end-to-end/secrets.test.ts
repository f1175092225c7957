import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/json/json.ts';
import { fakeDelegate } from '../support/delegates/fake-delegate.ts';
import { makeGatedDelegate } from '../support/delegates/gated-delegate.ts';
import { hostNamespace, type Sandbox } from '../lab/namespaces/network-namespace.ts';
import { CANARY_TOKEN, type LoopbackNode } from '../support/nodes/loopback-node.ts';
import type { EndedExecutable } from '../lab/run-executable.ts';
import { startLoopbackApi } from '../lab/loopback-api/loopback-api.ts';
import type { Fault } from '../lab/loopback-api/fault.ts';
import type { NodeState } from '../support/nodes/node-state.ts';
import { startFresh } from '../support/suite/hooks.ts';

let node: LoopbackNode;
let sandbox: Sandbox;
let before: NodeState;
startFresh((fresh) => ({ node, sandbox, before } = fresh));

/** Text that must never be printed: the token, a part of it, the token in Base64, and the lines of the client's key. */
function secrets(): readonly string[] {
  const keyLines = node.api.clientCertificate.keyPem
    .split('\n')
    .filter((line) => line.length > 40 && !line.startsWith('-----'));
  const [, claims = '', signature = ''] = CANARY_TOKEN.split('.');
  return [claims, signature, Buffer.from(CANARY_TOKEN).toString('base64'), ...keyLines];
}

function expectNoSecretIn(texts: Readonly<Record<string, string>>): void {
  const seen = Object.entries(texts).filter(([, text]) => secrets().some((secret) => text.includes(secret)));
  expect(seen.map(([where]) => where)).toEqual([]);
}

/** Makes the API available again, runs DEL, and returns the state of the node. */
async function stateAtLast(): Promise<NodeState> {
  await node.api.setFault(undefined);
  node.api.writeKubeconfig(node.kubeconfigPath);
  expect(await node.run({ verb: 'DEL', sandboxPath: sandbox.path })).toMatchObject({ exitCode: 0, stdout: '' });
  return node.state();
}

async function runWatched(verb: string, overrides: JsonObject, environment = {}): Promise<EndedExecutable> {
  const logPath = join(node.folder, 'secrets.log');
  const folder = fakeDelegate(`printf '%s' "$stdin" | ${node.pluginPath}/host-local; env`, { name: 'watched' });
  const tracePath = join(node.folder, 'spans/secrets.jsonl');
  const config = node.netconf({ log_level: 'debug', log_file_path: logPath, trace_file: tracePath, ...overrides });
  const ended = await node.run({
    verb,
    sandboxPath: sandbox.path,
    config,
    environment: { NODE_DEBUG: '*', ...environment },
  });
  const state = JSON.stringify([await node.state(), await hostNamespace().ip('link')]);
  const journal = node.journal;
  const records = readdirSync(journal, { withFileTypes: true }).filter((entry) => entry.isFile());
  for (const { name } of records) expectNoSecretIn({ [name]: readFileSync(join(journal, name), 'utf8') });
  expectNoSecretIn({
    stdout: ended.stdout,
    stderr: ended.stderr,
    log: readFileSync(logPath, { encoding: 'utf8', flag: 'a+' }),
    spans: existsSync(tracePath) ? readFileSync(tracePath, 'utf8') : '',
    state,
  });
  for (const name of readdirSync(folder))
    expectNoSecretIn({ [name]: name === 'watched' ? '' : readFileSync(join(folder, name), 'utf8') });
  rmSync(folder, { recursive: true });
  return ended;
}

describe('a token or a client key is in no output, log, lease or interface', () => {
  const FAULTS: readonly (readonly [string, Fault | undefined])[] = [
    ['all goes well', undefined],
    ['the server repeats the request', { kind: 'echo' }],
    ['the server refuses it with 401', { kind: 'status', status: 401 }],
    ['the server refuses it with 403', { kind: 'status', status: 403 }],
    ['the server fails', { kind: 'status', status: 500 }],
    ['the connection is reset', { kind: 'reset', at: 'headers' }],
    ['the answer is half', { kind: 'close', at: 'body' }],
    ['the answer is the token', { kind: 'body', body: CANARY_TOKEN }],
    [
      'the answer is the token as a JSON string',
      { kind: 'body', body: JSON.stringify({ metadata: { name: CANARY_TOKEN } }) },
    ],
    ['the answer is the token instead of HTTP', { kind: 'raw', bytes: `${CANARY_TOKEN}\r\n\r\n` }],
    [
      'the answer has the token as its status text',
      { kind: 'raw', bytes: `HTTP/1.1 500 ${CANARY_TOKEN}\r\nContent-Length: 0\r\n\r\n` },
    ],
    [
      'the answer has the token as its type',
      { kind: 'status', status: 200, headers: { 'Content-Type': CANARY_TOKEN } },
    ],
    [
      'the server redirects',
      { kind: 'status', status: 302, headers: { Location: `https://127.0.0.1:1/${CANARY_TOKEN}` } },
    ],
  ];
  it.each(FAULTS)('when %s, token', async (_, fault) => {
    await node.api.setFault(fault);
    for (const verb of ['ADD', 'DEL']) await runWatched(verb, {});
    await expect(stateAtLast()).resolves.toEqual(before);
  });
  it.each(FAULTS.slice(0, 6))('when %s, client certificate', async (_, fault) => {
    node.api.writeKubeconfig(node.kubeconfigPath, { auth: 'certificate' });
    await node.api.setFault(fault);
    for (const verb of ['ADD', 'DEL']) await runWatched(verb, {});
    await expect(stateAtLast()).resolves.toEqual(before);
  });
  it.each<readonly [string, string]>([
    ['is malformed YAML', `token: [${CANARY_TOKEN}`],
    ['is JSON cut in the middle', `{"users":[{"name":"a","user":{"token":"${CANARY_TOKEN}"`],
    [
      'has the token in place of the server',
      JSON.stringify({ clusters: [{ name: 'a', cluster: { server: CANARY_TOKEN } }] }),
    ],
    ['is the token alone', CANARY_TOKEN],
    [
      'has a line break in the token',
      JSON.stringify({
        'current-context': 'a',
        contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
        clusters: [{ name: 'a', cluster: { server: 'https://127.0.0.1:1' } }],
        users: [{ name: 'a', user: { token: `${CANARY_TOKEN}\nHost: a` } }],
      }),
    ],
  ])('when the kubeconfig %s', async (_, text) => {
    writeFileSync(node.kubeconfigPath, text);
    expect((await runWatched('ADD', {})).exitCode).toBe(1);
    expect((await runWatched('DEL', {})).exitCode).toBe(0);
    await expect(stateAtLast()).resolves.toEqual(before);
  });
  it('when it is in the netconf, and the delegate is called', async () => {
    const folder = fakeDelegate(`env; echo "$stdin"; exit 1`, { name: 'host-local' });
    const config = node.netconf({
      kubernetes: {},
      policy: {
        k8s_api_root: node.api.url,
        k8s_auth_token: CANARY_TOKEN,
        k8s_certificate_authority: join(node.folder, 'ca.pem'),
      },
    });
    writeFileSync(join(node.folder, 'ca.pem'), node.api.authority.certificatePem);
    const { stdout, stderr } = await node.run({ verb: 'ADD', sandboxPath: sandbox.path, config, pluginPath: folder });
    const calls = readFileSync(join(folder, 'calls'), 'utf8');
    expect(calls).toMatch(/^ADD /);
    expectNoSecretIn({ stdout, stderr, calls });
    rmSync(folder, { recursive: true });
  });
  it('when it has the wrong type in the netconf', async () => {
    const { answer } = await runWatched('ADD', { policy: { k8s_auth_token: [CANARY_TOKEN] } });
    expect(answer).toMatchObject({ code: 7 });
  });
  it('and it is not in the arguments and the environment of running processes', async () => {
    using gate = await makeGatedDelegate(node.folder, node.pluginPath, 'after');
    const running = node.start({ verb: 'ADD', sandboxPath: sandbox.path, pluginPath: gate.folder });
    await gate.arrived;
    const { pid } = running.process;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    for (const process of [String(pid), ...children]) {
      const read = (name: string) => readFileSync(`/proc/${process}/${name}`, 'utf8');
      expectNoSecretIn({ cmdline: read('cmdline'), environ: read('environ') });
    }
    gate.release();
    expect(await running.ended).toMatchObject({ exitCode: 0 });
    expect(await node.run({ verb: 'DEL', sandboxPath: sandbox.path })).toMatchObject({ exitCode: 0 });
    expect(await node.state()).toEqual(before);
  });
});

describe('variables of Node and OpenSSL change nothing', () => {
  const authorityPath = () => {
    const path = join(node.folder, 'authority.pem');
    writeFileSync(path, node.api.authority.certificatePem);
    return path;
  };
  const VARIABLES: readonly (readonly [string, () => Readonly<Record<string, string>>])[] = [
    ['NODE_TLS_REJECT_UNAUTHORIZED=0', () => ({ NODE_TLS_REJECT_UNAUTHORIZED: '0' })],
    ['NODE_EXTRA_CA_CERTS', () => ({ NODE_EXTRA_CA_CERTS: authorityPath() })],
    ['SSL_CERT_FILE', () => ({ SSL_CERT_FILE: authorityPath(), SSL_CERT_DIR: node.folder })],
    ['NODE_USE_SYSTEM_CA', () => ({ NODE_USE_SYSTEM_CA: '1', SSL_CERT_FILE: authorityPath() })],
    ['NODE_OPTIONS with an option that Node does not know', () => ({ NODE_OPTIONS: '--bogus' })],
    [
      'NODE_OPTIONS=--use-openssl-ca',
      () => ({ NODE_OPTIONS: '--use-openssl-ca --tls-min-v1.0', SSL_CERT_FILE: authorityPath() }),
    ],
    ['OPENSSL_CONF', () => ({ OPENSSL_CONF: '/dev/null' })],
  ];
  it.each(VARIABLES)('%s: a server of an unknown authority is refused', async (_, environment) => {
    const { certificatePem } = (await startForeignAuthority()).authority;
    for (const cluster of [{ 'certificate-authority-data': Buffer.from(certificatePem).toString('base64') }, {}]) {
      node.api.writeKubeconfig(node.kubeconfigPath, { cluster: { server: node.api.url, ...cluster } });
      const earlier = node.api.requests.length;
      const { exitCode, answer, stderr } = await node.run({
        verb: 'ADD',
        sandboxPath: sandbox.path,
        environment: environment(),
      });
      expect({ exitCode, code: answer?.['code'] }).toEqual({ exitCode: 1, code: 100 });
      expect(answer?.['msg']).toMatch(/is not trusted/);
      expect(stderr).not.toMatch(/\(node:\d+\)|Warning:/);
      expect(node.api.requests).toHaveLength(earlier);
    }
    expect(await node.state()).toEqual(before);
  });
  it.each(VARIABLES)('%s: the right server is used', async (_, environment) => {
    for (const verb of ['ADD', 'DEL']) {
      expect(await node.run({ verb, sandboxPath: sandbox.path, environment: environment() })).toMatchObject({
        exitCode: 0,
        stderr: '',
      });
    }
    expect(await node.state()).toEqual(before);
  });
  it('NODE_OPTIONS=--require runs nothing', async () => {
    const script = join(node.folder, 'evil.cjs');
    const proof = join(node.folder, 'proof');
    writeFileSync(script, `require('node:fs').writeFileSync(${JSON.stringify(proof)}, '')`);
    const environment = { NODE_OPTIONS: `--require ${script}`, NODE_PATH: node.folder };
    expect(await node.run({ verb: 'VERSION', environment })).toMatchObject({ exitCode: 0, stderr: '' });
    expect(readdirSync(node.folder)).not.toContain('proof');
  });
  it('a proxy is not used', async () => {
    let connections = 0;
    const proxy = createServer((socket) => void (connections++, socket.destroy())).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const address = proxy.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const url = `http://127.0.0.1:${port ?? 0}`;
    const environment = {
      HTTPS_PROXY: url,
      https_proxy: url,
      HTTP_PROXY: url,
      http_proxy: url,
      ALL_PROXY: url,
      NODE_USE_ENV_PROXY: '1',
    };
    for (const verb of ['ADD', 'DEL'])
      expect(await node.run({ verb, sandboxPath: sandbox.path, environment })).toMatchObject({
        exitCode: 0,
        stderr: '',
      });
    proxy.close();
    expect(connections).toBe(0);
    expect(await node.state()).toEqual(before);
  });
  it('a redirect is not followed', async () => {
    await using other = await startLoopbackApi();
    await node.api.setFault({
      kind: 'status',
      status: 307,
      headers: { Location: `${other.url}/api/v1/nodes/fault-node` },
    });
    const { exitCode, answer } = await node.run({ verb: 'ADD', sandboxPath: sandbox.path });
    expect({ exitCode, connections: other.connections }).toEqual({ exitCode: 1, connections: 0 });
    expect(answer?.['msg']).toMatch(/307/);
    expect(await node.state()).toEqual(before);
  });
});

async function startForeignAuthority() {
  const api = await startLoopbackApi();
  await api[Symbol.asyncDispose]();
  return api;
}
