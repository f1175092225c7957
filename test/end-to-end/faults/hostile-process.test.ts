// What reaches the process from outside its protocol: signals that Node.js has a use for, and variables that its libraries
// read before the program starts.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../lab/until.ts';
import { makeLoopbackPod } from '../../support/nodes/loopback-pod.ts';
import { startLoopbackNode, type LoopbackNode } from '../../support/nodes/loopback-node.ts';

let node: LoopbackNode;
beforeAll(async () => {
  node = await startLoopbackNode();
});
afterAll(() => node[Symbol.asyncDispose]());

/** The TCP ports on which a process listens, by the inodes of its sockets. */
function listeningPorts(pid: number): readonly string[] {
  const folder = `/proc/${pid}/fd`;
  const links = readdirSync(folder).map((name) => readlinkSync(join(folder, name)));
  const inodes = new Set(links.map((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1]));
  const rows = ['tcp', 'tcp6'].flatMap((name) => readFileSync(`/proc/${pid}/net/${name}`, 'utf8').split('\n'));
  const fields = rows.map((row) => row.trim().split(/\s+/));
  return fields.flatMap(([, local = '', , state, , , , , , inode]) =>
    state === '0A' && inodes.has(inode) ? [local] : [],
  );
}

describe('SIGUSR1', () => {
  it('starts no debugger and does not end the command', async () => {
    await using pod = await makeLoopbackPod(node, 'signalled');
    await node.api.setFault({ kind: 'stall', at: 'headers' });
    const earlier = node.api.requests.length;
    const add = node.start({ verb: 'ADD', config: node.netconf(), ...pod.call });
    const pid = add.process.pid ?? 0;
    await until('the ADD waits for the API server', () => Promise.resolve(node.api.requests.length > earlier));
    for (let times = 0; times < 3; times++) process.kill(pid, 'SIGUSR1');
    // The debugger would listen before the process answers the next signal: both are delivered in order.
    expect(listeningPorts(pid)).toEqual([]);
    const ended = await add.ended;
    await node.api.setFault(undefined);
    expect(ended).toMatchObject({ exitCode: 1, signal: null, answer: { code: 11 } });
    expect(ended.stderr).not.toMatch(/debugger/i);
  });
});

describe('variables of OpenSSL and Node.js', () => {
  const configs = {
    'that is not a configuration': 'garbage [[ =\n',
    'that loads a library': [
      'nodejs_conf = init\nopenssl_conf = init\n[init]\nproviders = all\nengines = all\n[all]\nevil = evil',
      '[evil]\nactivate = 1\nmodule = /run/evil.so\ndynamic_path = /run/evil.so\n',
    ].join('\n'),
    'that permits only TLS 1.3 and one unknown cipher':
      'nodejs_conf = init\nopenssl_conf = init\n[init]\nssl_conf = ssl\n[ssl]\nsystem_default = default\n[default]\nCipherString = NONE\n',
  };
  it.each(Object.entries(configs))('OPENSSL_CONF naming a file %s changes nothing', async (_, text) => {
    const path = join(node.folder, 'openssl.cnf');
    await writeFile(path, text);
    expect(await attachWith({ OPENSSL_CONF: path })).toEqual(UNCHANGED);
  });

  it.each(['OPENSSL_CONF', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR'])(
    '%s naming a FIFO or a folder changes nothing',
    async (name) => {
      const fifo = join(node.folder, `fifo-${name}`);
      execFileSync('mkfifo', [fifo]);
      expect(await attachWith({ [name]: fifo })).toEqual(UNCHANGED);
      expect(await attachWith({ [name]: node.folder })).toEqual(UNCHANGED);
    },
  );

  it.each([
    'OPENSSL_MODULES',
    'OPENSSL_ENGINES',
    'SSL_CERT_DIR',
    'SSL_CERT_FILE',
    'CTLOG_FILE',
    'NODE_EXTRA_CA_CERTS',
    'NODE_ICU_DATA',
    'NODE_COMPILE_CACHE',
    'NODE_REDIRECT_WARNINGS',
  ])('%s changes nothing', async (name) => {
    expect(await attachWith({ [name]: '/missing' })).toEqual(UNCHANGED);
    expect(await attachWith({ [name]: join(node.folder, 'kubeconfig') })).toEqual(UNCHANGED);
  });

  it('all of Node’s switches at once change nothing', async () =>
    expect(
      await attachWith({
        NODE_OPTIONS: '--inspect --bogus',
        NODE_PATH: '.',
        NODE_TLS_REJECT_UNAUTHORIZED: '0',
        NODE_USE_ENV_PROXY: '1',
        NODE_USE_SYSTEM_CA: '1',
        NODE_DEBUG: 'net,tls,child_process',
        NODE_DEBUG_NATIVE: 'diagnostics',
        NODE_UNIQUE_ID: '1',
        NODE_CHANNEL_FD: 'abc',
        NODE_CHANNEL_SERIALIZATION_MODE: 'bogus',
        NODE_REPL_EXTERNAL_MODULE: '/missing',
        NODE_TEST_CONTEXT: 'child-v8',
        HTTPS_PROXY: 'http://127.0.0.1:1',
        WATCH_REPORT_DEPENDENCIES: '1',
      }),
    ).toEqual(UNCHANGED));
});

/** How an ADD and a DEL with these variables end. */
async function attachWith(environment: Readonly<Record<string, string>>): Promise<readonly unknown[]> {
  await using pod = await makeLoopbackPod(node, 'surrounded');
  const outcomes: unknown[] = [];
  for (const verb of ['ADD', 'DEL']) {
    const { exitCode, stderr } = await node.run({ verb, config: node.netconf(), ...pod.call, environment });
    outcomes.push({ verb, exitCode, stderr });
  }
  return outcomes;
}

const UNCHANGED = ['ADD', 'DEL'].map((verb) => ({ verb, exitCode: 0, stderr: '' }));
