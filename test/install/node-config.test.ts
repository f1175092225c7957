import { writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseJsonObject } from '../../src/json/json.ts';
import { nodeNameOf, readTemplate, renderForNode } from '../../src/install/node-config.ts';
import { parseInstallSettings } from '../../src/install/settings.ts';
import { makeFolder } from './make-folder.ts';

it("the node's name is the configured one, otherwise the host name in lower case", () => {
  expect(nodeNameOf({ nodeName: 'n1' })).toBe('n1');
  expect(nodeNameOf({ nodeName: undefined })).toBe(hostname().toLowerCase());
});

it('a template in a file takes precedence over one in the environment; one of them is required', async () => {
  using folder = makeFolder();
  const path = join(folder.path, 'template');
  writeFileSync(path, 'of the file');
  expect(await readTemplate({ template: { path, text: 'of the environment' } })).toBe('of the file');
  expect(await readTemplate({ template: { path: undefined, text: 'of the environment' } })).toBe('of the environment');
  await expect(readTemplate({ template: { path: undefined, text: undefined } })).rejects.toThrow(
    'neither CNI_NETWORK_CONFIG',
  );
  await expect(readTemplate({ template: { path: '/nowhere', text: 'x' } })).rejects.toThrow('/nowhere (ENOENT)');
});

it('the path of the kubeconfig is the one on the node, not the one in the pod', () => {
  const settings = parseInstallSettings([], { CNI_NET_DIR: '/etc/other' });
  const template =
    '{"cniVersion":"1.0.0","name":"n","plugins":[{"type":"podwire","nodename":"__KUBERNETES_NODE_NAME__","ipam":{"type":"host-local"},' +
    '"kubernetes":{"kubeconfig":"__KUBECONFIG_FILEPATH__"},"policy":{"k8s_auth_token":"__SERVICEACCOUNT_TOKEN__"}}]}';
  const { text } = renderForNode(settings, template, { nodeName: 'n1', token: 'a.b.c' });
  const { plugins } = parseJsonObject(text);
  expect(plugins).toMatchObject([
    {
      nodename: 'n1',
      kubernetes: { kubeconfig: '/etc/other/podwire-kubeconfig' },
      policy: { k8s_auth_token: 'a.b.c' },
    },
  ]);
});
