import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openNodeFiles } from '../../../src/cli/observe/node-files.ts';
import { findOtherCredentials } from '../../../src/cli/observe/other-credentials.ts';

const kubeconfig = (server: string) =>
  JSON.stringify({
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server } }],
    users: [{ name: 'u', user: { token: 'a-token' } }],
  });

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'podwire-credentials-'));
  mkdirSync(join(root, 'etc/kubernetes'), { recursive: true });
  writeFileSync(join(root, 'etc/kubernetes/kubelet.conf'), kubeconfig('https://192.0.2.6:6443'));
  writeFileSync(join(root, 'admin.conf'), kubeconfig('https://192.0.2.7:6443'));
});
afterAll(() => rmSync(root, { recursive: true }));
const find = async (kubeconfigPath: string | undefined, from: string) => {
  const server = 'https://192.0.2.5:6443';
  const found = await findOtherCredentials({ environment: {}, files: openNodeFiles(from, {}), kubeconfigPath, server });
  return found?.server.text;
};

it('a given kubeconfig takes precedence', async () =>
  expect(await find(join(root, 'admin.conf'), root)).toBe('https://192.0.2.7:6443'));
it('otherwise the kubelet’s is used', async () => expect(await find(undefined, root)).toBe('https://192.0.2.6:6443'));
it('there may be none', async () => expect(await find(undefined, join(root, 'none'))).toBeUndefined());
it('a given kubeconfig that does not exist is an error', async () =>
  await expect(find('/none/admin.conf', root)).rejects.toThrow('/none/admin.conf does not exist'));
