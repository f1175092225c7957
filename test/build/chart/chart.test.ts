// The Helm chart against kustomize: for each choice, both make the same objects.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { describe, expect, it } from 'vitest';
import { CHART, CHART_COMPONENTS, render, renderChart } from '../../../build/chart/render-chart.ts';
import { PLATFORMS } from '../../../build/chart/chart-settings.ts';
import { OVERLAYS } from '../../../build/render-overlay.ts';
import type { JsonObject } from '../../../src/json/json.ts';
import { isJsonObject } from '../../../src/json/json.ts';
import { ensureTools } from '../../lab/tools/ensure-tools.ts';
import { memberText } from '../../lab/member.ts';
import { parseManifest, readManifest } from '../../support/servers/manifest.ts';

const tools = await ensureTools(['helm']);

/** Runs `helm template` with these values, and returns its objects. */
async function template(values: object): Promise<readonly JsonObject[]> {
  return parseManifest(
    await helm(['template', 'podwire', CHART, '--namespace', 'kube-system', '--values', '-'], values),
  );
}

async function helm(args: readonly string[], values: object = {}): Promise<string> {
  const running = promisify(execFile)(tools.helm, [...args], { maxBuffer: 16 * 1024 * 1024 });
  running.child.stdin?.end(stringify(values));
  return (await running).stdout;
}

/** Lists of which the order has no meaning, and the member that distinguishes their items. */
const UNORDERED: Readonly<Record<string, string>> = { env: 'name', volumes: 'name', volumeMounts: 'mountPath' };

/** Objects by kind and name. */
function byName(objects: readonly JsonObject[]): Readonly<Record<string, unknown>> {
  const sorted = JSON.parse(JSON.stringify(objects), (key, value: unknown) =>
    UNORDERED[key] !== undefined && Array.isArray(value) ? sortedBy(UNORDERED[key], value) : value,
  );
  return Object.fromEntries(
    (Array.isArray(sorted) ? sorted : []).filter(isJsonObject).map((object) => {
      return [`${memberText(object, 'kind')} ${memberText(object['metadata'], 'name')}`, object];
    }),
  );
}

function sortedBy(name: string, items: readonly unknown[]): readonly unknown[] {
  return items.toSorted((one, other) => (memberText(one, name) < memberText(other, name) ? -1 : 1));
}

const permissions = readManifest('cni-conf/rbac.yaml');
async function renderedBy(overlay: string, components: readonly string[]): Promise<readonly JsonObject[]> {
  return [
    ...permissions,
    ...(await render(overlay, components)).flatMap((object) => (isJsonObject(object) ? [object] : [])),
  ];
}

const same = (
  why: string,
  values: Readonly<Record<string, unknown>> & { readonly installation: string },
  ...components: readonly string[]
) =>
  it(why, async () =>
    expect(byName(await template(values))).toEqual(byName(await renderedBy(values.installation, components))),
  );

const POD_NETWORKS = ['10.244.0.0/16', 'fd00:10:244::/48'];

describe.each(OVERLAYS)('the chart makes what kustomize makes, with the installation %s', (installation) => {
  same('alone', { installation });
  same('with both families', { installation, addressFamilies: ['IPv4', 'IPv6'] }, 'dual-stack');
  same('with IPv6 only', { installation, addressFamilies: ['IPv6'] }, 'ipv6-only');
  same('with version 1.0.0 of CNI', { installation, cniVersion: '1.0.0' }, 'cni-1.0');
  same(
    'with masquerading',
    { installation, masquerade: { podNetworks: POD_NETWORKS } },
    installation === 'podcidr-routes' ? 'masquerade' : 'masquerade-agent',
  );
});

describe('the chart makes what kustomize makes', () => {
  for (const platform of PLATFORMS) {
    same(`on ${platform}`, { installation: 'podcidr-routes', platform }, platform);
  }
  same('with Cilium, chained', { installation: 'podcidr-routes', chaining: 'cilium' }, 'cilium');
  same('with its own garbage collection', { installation: 'podcidr-routes', gc: { enabled: true } }, 'gc');
  same('with Typha', { installation: 'bgp', typha: { enabled: true, replicas: 3 } }, 'typha');
  same(
    'with several choices at once',
    {
      installation: 'bgp',
      addressFamilies: ['IPv4', 'IPv6'],
      platform: 'k3s',
      cniVersion: '1.0.0',
      typha: { enabled: true },
    },
    'dual-stack',
    'k3s',
    'cni-1.0',
    'typha',
  );
});

describe('values', () => {
  const daemonSetWith = async (values: object) => JSON.stringify(byName(await template(values))['DaemonSet podwire']);
  const sets = (why: string, values: object, ...expected: readonly string[]) =>
    it(why, async () => {
      const json = await daemonSetWith(values);
      for (const part of expected) expect(json).toContain(part);
    });

  sets('mtu', { mtu: 1460 }, '{"name":"CNI_MTU","value":"1460"}');
  sets('logLevel', { logLevel: 'debug' }, '{"name":"LOG_LEVEL","value":"debug"}');
  sets('resources', { resources: { limits: { memory: '1Gi' } } }, '"limits":{"memory":"1Gi"}');
  sets('env', { env: { CNI_OLD_CONF_NAME: '10-a.conflist' } }, '{"name":"CNI_OLD_CONF_NAME","value":"10-a.conflist"}');
  sets(
    'apiServer',
    { apiServer: { host: '192.0.2.1', port: 443 } },
    '{"name":"KUBERNETES_SERVICE_HOST","value":"192.0.2.1"}',
    '{"name":"KUBERNETES_SERVICE_PORT","value":"443"}',
  );
  sets(
    'folders: the mounted folder, and its path for podwire',
    { folders: { programs: '/a/bin', configs: '/a/net.d' } },
    '{"name":"CNI_BIN_DIR","value":"/a/bin"}',
    '{"name":"CNI_NET_DIR","value":"/a/net.d"}',
    '"hostPath":{"path":"/a/bin","type":"DirectoryOrCreate"}',
    '"hostPath":{"path":"/a/net.d","type":"DirectoryOrCreate"}',
  );
  sets(
    'image',
    { image: { repository: 'registry.example/podwire', tag: '9.9.9', digest: `sha256:${'0'.repeat(64)}` } },
    `"image":"registry.example/podwire:9.9.9@sha256:${'0'.repeat(64)}"`,
  );

  it('masquerade: a network of one family only leaves a valid set for the other', async () => {
    const objects = await template({
      masquerade: { podNetworks: ['10.1.0.0/16'], unchangedNetworks: ['192.0.2.0/24'] },
    });
    const files = JSON.stringify(objects.filter((object) => object['kind'] === 'ConfigMap'));
    expect(files).toContain('define pods_ipv4 = { 10.1.0.0/16 }');
    expect(files).toContain('define unchanged_ipv4 = { 10.1.0.0/16, 192.0.2.0/24 }');
    expect(files).toContain('define pods_ipv6 = { ::/128 }');
  });

  const refuses = (why: string, values: object, message: RegExp) =>
    it(`refuses ${why}`, () => expect(template(values)).rejects.toThrow(message));

  refuses('an unknown installation', { installation: 'vxlan' }, /installation/);
  refuses('a value that does not exist', { adressFamilies: ['IPv4'] }, /adressFamilies/); // cspell:ignore adress
  refuses('a digest of another form', { image: { repository: 'a', digest: 'latest' } }, /digest/);
  refuses('a relative folder', { folders: { programs: 'opt/cni/bin' } }, /programs/);
  refuses('Cilium beside another agent', { installation: 'bgp', chaining: 'cilium' }, /podcidr-routes only/);

  it('refuses another namespace', () =>
    expect(helm(['template', 'podwire', CHART, '--namespace', 'default'])).rejects.toThrow(/--namespace kube-system/));
});

describe('the files of the chart', () => {
  it('are what npm run render:manifests writes', async () => {
    for (const [path, text] of Object.entries(await renderChart())) {
      expect({ path, text: await readFile(join(CHART, path), 'utf8') }).toEqual({ path, text });
    }
  });

  it.each(OVERLAYS)('helm lint accepts them, with the installation %s', async (installation) => {
    const args = ['lint', CHART, '--strict', '--namespace', 'kube-system', '--set', `installation=${installation}`];
    expect(await helm(args)).toContain('0 chart(s) failed');
  });

  it('every component of cni-conf can be chosen by a value', async () => {
    const { stdout } = await promisify(execFile)('ls', [join(CHART, '../components')]);
    const chosen = [...CHART_COMPONENTS, 'cilium', 'masquerade', 'masquerade-agent'];
    expect(stdout.trim().split('\n').toSorted()).toEqual(chosen.toSorted());
  });
});
