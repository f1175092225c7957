import { globSync, readFileSync } from 'node:fs';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kustomize, OVERLAYS, RENDERED, renderedPath, renderFile } from '../../build/render-overlay.ts';
import { isJsonList, isJsonObject, type JsonObject } from '../../src/json/json.ts';
import { renderNetworkConfig } from '../../src/install/netconf-template.ts';
import { parseInstallSettings } from '../../src/install/settings.ts';
import { applyManifest, parseManifest, readManifest, readTemplate } from '../support/servers/manifest.ts';
import { startCluster, type Cluster } from '../lab/api-server/kube-apiserver.ts';
import { memberText, member } from '../lab/member.ts';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster[Symbol.asyncDispose]());

const CNI_CONF = join(import.meta.dirname, '../../cni-conf');
const rendered = (overlay: string) => readManifest(`cni-conf/rendered/${overlay}.yaml`);
const names = (objects: readonly JsonObject[]) =>
  objects.map((object) => `${memberText(object, 'kind')} ${memberText(object['metadata'], 'name')}`);
const VALUES = {
  ...parseInstallSettings([], {}).placeholders,
  KUBERNETES_NODE_NAME: 'node-1',
  KUBECONFIG_FILEPATH: '/etc/cni/net.d/podwire-kubeconfig',
};

it.each(RENDERED)('$name is rendered in one file, as kustomize does it', async (row) => {
  expect(readFileSync(renderedPath(row.name), 'utf8')).toBe(await renderFile(row));
});

describe.each(OVERLAYS)('the overlay %s', (overlay) => {
  it('is accepted by the API server with strict field validation', async () => {
    await expect(applyManifest(cluster.admin, rendered(overlay), 'try')).resolves.toBeUndefined();
  });

  it('contains every object that its DaemonSets name', () => {
    const objects = rendered(overlay);
    const daemonSets = objects.filter((object) => object['kind'] === 'DaemonSet');
    for (const daemonSet of daemonSets) {
      const pod = member(daemonSet, 'spec', 'template', 'spec');
      expect(names(objects)).toContain(`ServiceAccount ${memberText(pod, 'serviceAccountName')}`);
      const volumes: unknown = member(pod, 'volumes');
      const configMaps = Array.isArray(volumes)
        ? volumes.flatMap((volume) => member(volume, 'configMap', 'name') ?? [])
        : [];
      for (const name of configMaps) expect(names(objects)).toContain(`ConfigMap ${JSON.stringify(name).slice(1, -1)}`);
    }
    expect(daemonSets.length).toBeGreaterThan(0);
  });

  it('has a template that the installer accepts', () => {
    const configMap = rendered(overlay).find((object) => object['kind'] === 'ConfigMap');
    const template = memberText(configMap?.['data'], '10-podwire.conflist');
    expect(renderNetworkConfig(template, VALUES, '10-podwire.conflist').programs).toContain('host-local');
  });

  it('is complete: applied after rbac.yaml, none of it is rejected', async () => {
    await applyManifest(cluster.admin, readManifest('cni-conf/rbac.yaml'), 'keep');
    await expect(applyManifest(cluster.admin, rendered(overlay), 'keep')).resolves.toBeUndefined();
  });
});

describe('the probes of the container that renews the token', () => {
  const daemonSet = rendered('podcidr-routes').find((object) => object['kind'] === 'DaemonSet');
  const containers: unknown = member(daemonSet, 'spec', 'template', 'spec', 'containers');
  const container: unknown = Array.isArray(containers) ? containers[0] : undefined;
  const { watchEverySeconds = 0 } = parseInstallSettings(['--watch'], {});
  const secondsOf = (probe: string) => {
    const words: unknown = member(container, probe, 'exec', 'command');
    const seconds = (name: string) => Number(member(container, probe, name));
    return {
      limit: Number(Array.isArray(words) ? words.at(-1) : undefined),
      period: seconds('periodSeconds'),
      attempts: seconds('failureThreshold'),
      timeout: seconds('timeoutSeconds'),
    };
  };

  it('a renewal that fails makes the pod not ready within ten minutes', () => {
    const { limit, period, attempts, timeout } = secondsOf('readinessProbe');
    expect(limit + attempts * period + timeout).toBeLessThan(600);
  });

  it('a renewal that works keeps the pod ready: its tests are more frequent than the limit, with two minutes for retries', () =>
    expect(watchEverySeconds + 120).toBeLessThanOrEqual(secondsOf('readinessProbe').limit));

  it('the container is not restarted while the API server is away for less than two hours', () =>
    expect(secondsOf('livenessProbe').limit).toBe(7200));
});

describe('from one overlay to another on a running cluster', () => {
  it('applying the other changes only the agent, not what podwire does', async () => {
    const own = (objects: readonly JsonObject[]) =>
      objects.filter((object) => !/podwire-agent/.test(memberText(object['metadata'], 'name')));
    expect(own(rendered('bgp'))).toEqual(own(rendered('policy-only')));
    // Without an agent, nothing writes the file with the MTU.
    const waits = ['        - name: REQUIRE_MTU_FILE', '          value: "true"', ''].join('\n');
    const alone = parseManifest(readFileSync(renderedPath('bgp'), 'utf8').replaceAll(waits, ''));
    expect(own(alone)).toEqual(rendered('podcidr-routes'));
    const generationOf = async () => {
      const daemonSet = await cluster.admin.get('/apis/apps/v1/namespaces/kube-system/daemonsets/podwire');
      return member(daemonSet, 'metadata', 'generation');
    };
    await applyManifest(cluster.admin, rendered('policy-only'), 'keep');
    const before = await generationOf();
    await applyManifest(cluster.admin, rendered('bgp'), 'keep');
    expect(await generationOf()).toBe(before);
    const agent = await cluster.admin.get('/apis/apps/v1/namespaces/kube-system/daemonsets/podwire-agent');
    const containers: unknown = member(agent, 'spec', 'template', 'spec', 'containers');
    expect(JSON.stringify(containers)).toContain('{"name":"CALICO_NETWORKING_BACKEND","value":"bird"}');
  });
});

describe('components', () => {
  it.each([
    ['policy-only', 'dual-stack', 'value: ipv4,ipv6'],
    ['bgp', 'dual-stack', 'name: IP6\n          value: autodetect'],
    ['bgp', 'ipv6-only', 'name: CALICO_ROUTER_ID\n          value: hash'],
    ['podcidr-routes', 'ipv6-only', 'name: IP_FAMILIES\n          value: ipv6'],
    ['policy-only', 'gc', 'GC_EVERY_SECONDS'],
    ['podcidr-routes', 'cilium', 'cilium-cni'],
    ['podcidr-routes', 'cni-1.0', 'name: CNI_SPEC_VERSION\n          value: 1.0.0'],
    ['podcidr-routes', 'masquerade', 'name: podwire-masquerade'],
    ['bgp', 'typha', 'podwire-typha'],
  ])('in an overlay of one’s own, of %s with %s', async (overlay, component, brought) => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'podwire-overlay-'));
    const conf = relative(folder.path, CNI_CONF);
    const text = `resources: [${conf}/overlays/${overlay}]
components: [${conf}/components/${component}]
images:
  - {name: localhost/podwire, newName: registry.example/podwire, newTag: 0.1.0}
`;
    await writeFile(join(folder.path, 'kustomization.yaml'), text);
    const manifest = await kustomize(folder.path);
    expect(manifest).toContain('image: registry.example/podwire:0.1.0');
    expect(manifest).not.toContain('localhost/');
    expect(manifest).toContain(brought);
    await expect(applyManifest(cluster.admin, parseManifest(manifest), 'try')).resolves.toBeUndefined();
  });

  it('Typha is accepted by the API server, and the agent is configured with its Service', async () => {
    await applyManifest(cluster.admin, readManifest('cni-conf/components/typha/typha.yaml'), 'try');
    const [service] = readManifest('cni-conf/components/typha/typha.yaml');
    expect(JSON.stringify(readManifest('cni-conf/components/typha/agent.yaml'))).toContain(
      `"name":"FELIX_TYPHAK8SSERVICENAME","value":"${memberText(service?.['metadata'], 'name')}"`,
    );
  });

  // Both need the only ingress qdisc of the host interface: an ADD with both would fail.
  it('the template of cilium is that of the base, with Cilium’s plugin in the place of bandwidth', () => {
    const pluginsOf = (path: string): readonly unknown[] => {
      const plugins = member(JSON.parse(renderNetworkConfig(readTemplate(path), VALUES, 'a.conflist').text), 'plugins');
      return Array.isArray(plugins) ? plugins : [];
    };
    expect(pluginsOf('components/cilium')).toEqual(
      pluginsOf('base').map((plugin) =>
        member(plugin, 'type') === 'bandwidth' ? { type: 'cilium-cni', 'chaining-mode': 'generic-veth' } : plugin,
      ),
    );
    expect(JSON.stringify(pluginsOf('base'))).toContain('"bandwidth"');
  });
});

describe('images', () => {
  // CRI-O rejects names without a registry.
  it('have fully qualified names, in every manifest and component', () => {
    const files = globSync('**/*.yaml', { cwd: CNI_CONF });
    const images = files.flatMap((file) =>
      [...readFileSync(join(CNI_CONF, file), 'utf8').matchAll(/^ *(?:- )?(?:image|newName): *(\S+)$/gm)].map(
        ([, image = '']) => image,
      ),
    );
    expect(images.length).toBeGreaterThan(10);
    // The name `podwire` is replaced by the kustomizations that have it.
    const unqualified = images.filter(
      (image) => image !== 'podwire' && !/^(localhost|[a-z0-9-]+(\.[a-z0-9-]+)+)\//.test(image),
    );
    expect(unqualified).toEqual([]);
  });

  it('that the overlays use have a tag', () => {
    for (const { name } of RENDERED)
      for (const [, image = ''] of readFileSync(renderedPath(name), 'utf8').matchAll(/image: (\S+)/g))
        expect(image).toMatch(/^(localhost|quay\.io|registry\.k8s\.io)\/[a-z/-]+:v?\d+\.\d+\.\d+$/);
  });
});

describe('rbac.yaml', () => {
  const rulesOf = (kind: string, name: string): readonly JsonObject[] => {
    const role = readManifest('cni-conf/rbac.yaml').find(
      (object) => object['kind'] === kind && memberText(object['metadata'], 'name') === name,
    );
    const rules = role?.['rules'] ?? null;
    return isJsonList(rules) ? rules.filter(isJsonObject) : [];
  };

  it('contains objects of podwire only', () => {
    const own = readManifest('cni-conf/rbac.yaml').map((object) => memberText(object['metadata'], 'name'));
    expect([...new Set(own)].toSorted()).toEqual(['podwire', 'podwire-installer']);
  });

  it('the plugin can get pods and nodes, patch pods/status, and nothing else', () => {
    expect(rulesOf('ClusterRole', 'podwire')).toEqual([
      { apiGroups: [''], resources: ['pods', 'nodes'], verbs: ['get'] },
      { apiGroups: [''], resources: ['pods/status'], verbs: ['patch'] },
    ]);
  });

  it('the installer can issue tokens of the plugin, get nodes, and nothing else', () => {
    expect([...rulesOf('Role', 'podwire-installer'), ...rulesOf('ClusterRole', 'podwire-installer')]).toEqual([
      { apiGroups: [''], resources: ['serviceaccounts/token'], resourceNames: ['podwire'], verbs: ['create'] },
      { apiGroups: [''], resources: ['nodes'], verbs: ['get'] },
    ]);
  });
});
