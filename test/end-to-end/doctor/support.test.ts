import { execFileSync } from 'node:child_process';
import { appendFile, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDoctorNode, type DoctorNode } from '../../lab/doctor-node/doctor-node.ts';
import { tokenIn } from '../../support/installer/install-node.ts';

const OPAQUE = 'opaque-canary-token-0123456789';
const KEY_BODY = 'AbCd'.repeat(10);
const KEY = ['-----BEGIN PRIVATE', ` KEY-----\n${KEY_BODY}\n-----END PRIVATE`, ' KEY-----'].join('');

let node: DoctorNode;
let texts: Readonly<Record<string, string>>;
let stdout = '';
beforeAll(async () => {
  node = await startDoctorNode();
  await node.attach('web');
  const yaml = `users:\n- name: u\n  user:\n    token: ${OPAQUE}-yaml\n    client-key-data: Y2FuYXJ5LWRhdGEt\n`;
  await writeFile(join(node.configs, 'other-kubeconfig'), yaml);
  const list = JSON.stringify({
    name: 'x',
    plugins: [{ type: 'calico', policy: { k8s_auth_token: OPAQUE }, etcd_password: 'canary-password', note: KEY }],
  });
  await writeFile(join(node.configs, '90-x.conflist'), list);
  const token = tokenIn(await readFile(node.kubeconfigPath, 'utf8'));
  await appendFile(
    node.logPath,
    `2026-11-28T00:00:00.000Z ERROR echoed ${token} and ${OPAQUE} command=ADD container=c1\n`,
  );
  const file = join(node.folder, 'support.tar.gz');
  ({ stdout } = await node.podwire('support', '--file', file));
  const unpacked = join(node.folder, 'unpacked');
  await mkdir(unpacked);
  execFileSync('tar', ['xzf', file, '-C', unpacked, '--strip-components=1']);
  const names = await readdir(unpacked, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  texts = Object.fromEntries(
    await Promise.all(
      files.map(async (path) => [path.slice(unpacked.length + 1), await readFile(path, 'utf8')] as const),
    ),
  );
});
afterAll(() => node[Symbol.asyncDispose]());

describe('podwire support', () => {
  it('collects what a report needs', () => {
    expect(Object.keys(texts)).toEqual(
      expect.arrayContaining([
        'contents.txt',
        'findings.txt',
        'findings.json',
        'configuration/10-podwire.conflist',
        'configuration/podwire-kubeconfig',
        expect.stringMatching(/^journal\/web-0+@eth0\.record\.json$/),
        'leases.json',
        'links.json',
        'routes.json',
        'log.txt',
        'settings.json',
        'versions.txt',
      ]),
    );
    expect(texts['configuration/10-podwire.conflist']).toContain('"usePodCidr"');
    expect(texts['configuration/podwire-kubeconfig']).toContain(node.cluster.server);
    expect(texts['versions.txt']).toMatch(/^podwire .*\nkernel .*\nruntime test-runtime 1\.0\.0\nkubernetes v1\.36/);
    expect(texts['contents.txt']).toContain('Not collected:\n');
  });

  it('no file and no output has a secret', async () => {
    const token = tokenIn(await readFile(node.kubeconfigPath, 'utf8'));
    const secrets = [token, token.split('.')[2] ?? token, OPAQUE, 'canary-password', KEY_BODY, 'Y2FuYXJ5LWRhdGEt'];
    const leaks = Object.entries({ ...texts, stdout }).flatMap(([name, text]) =>
      secrets.filter((secret) => text.includes(secret)).map((secret) => `${name}: ${secret.slice(0, 12)}`),
    );
    expect(leaks).toEqual([]);
    expect(texts['log.txt']).toContain('echoed (masked) and (masked)');
  });

  it('prints where it is and how to check it, in 80 columns', () => {
    expect(stdout).toContain(`Written  ${node.folder}/support.tar.gz`);
    expect(stdout).toContain('mode 0600');
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });
});
