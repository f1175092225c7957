import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runInstall } from '../../src/install/install.ts';
import { runUninstall } from '../../src/install/uninstall.ts';
import { makeKubeconfig } from '../lab/api-server/kubeconfig.ts';
import { startTokenServer } from '../support/servers/token-server.ts';
import { openLibcLoader } from '../../src/system/libc.ts';
import { makeFolder } from './make-folder.ts';

const PLUGIN = `#!/bin/sh\ncat >/dev/null\necho '{"cniVersion":"1.0.0","supportedVersions":["1.0.0"]}'\n`;

it('with an administrator’s kubeconfig it installs on the node itself, or into a folder, and uninstalls again', async () => {
  using folder = makeFolder();
  await using server = await startTokenServer(3_600_000);
  const root = join(folder.path, 'host');
  for (const name of ['opt/cni/bin', 'etc/cni/net.d']) mkdirSync(join(root, name), { recursive: true });
  mkdirSync(join(folder.path, 'image'));
  for (const name of ['podwire', 'host-local', 'portmap', 'bandwidth'])
    writeFileSync(join(folder.path, 'image', name), PLUGIN, { mode: 0o755 });
  const KUBECONFIG = join(folder.path, 'kubeconfig');
  writeFileSync(
    KUBECONFIG,
    JSON.stringify(
      makeKubeconfig(server.url, server.certificateAuthorityPem, { token: 'a-token-of-an-administrator' }),
    ),
  );
  // Only the executable has its own libraries; run from its sources, the installer cannot put it onto another node.
  copyFileSync(join(folder.path, 'image/podwire'), join(root, 'opt/cni/bin/podwire'));
  const template = join(folder.path, 'template.conflist');
  copyFileSync(join(import.meta.dirname, '../../cni-conf/base/10-podwire.conflist'), template);
  let text = '';
  const io = {
    args: ['--root', root],
    environment: {
      KUBECONFIG,
      CNI_NETWORK_CONFIG_FILE: template,
      KUBERNETES_NODE_NAME: 'node-1',
      SKIP_CNI_BINARIES: 'podwire',
    },
    executablePath: join(folder.path, 'image/podwire'),
    signal: new AbortController().signal,
    libc: openLibcLoader(),
    observeNetworks: async () => [],
    writeStderr: (line: string) => void (text += line),
  };
  expect({ status: await runInstall(io), text }).toEqual({ status: 0, text: expect.any(String) });
  expect(readdirSync(join(root, 'opt/cni/bin')).toSorted()).toEqual(['bandwidth', 'host-local', 'podwire', 'portmap']);
  expect(readFileSync(join(root, 'etc/cni/net.d/podwire-kubeconfig'), 'utf8')).toContain('"token": "token-1"');
  expect(text).not.toContain('a-token-of-an-administrator');
  expect(text).toContain('its token for podwire is valid for 60 min');
  expect(await runUninstall(io)).toBe(0);
  expect(readdirSync(join(root, 'etc/cni/net.d'))).toEqual([]);
});
