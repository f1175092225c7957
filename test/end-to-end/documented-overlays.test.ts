import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { kustomize } from '../../build/render-overlay.ts';
import { isJsonObject } from '../../src/json/json.ts';
import { member, memberText } from '../lab/member.ts';
import { hostNamespace } from '../lab/namespaces/network-namespace.ts';
import { parseManifest } from '../support/servers/manifest.ts';
import { readPage } from '../docs/tracked-pages.ts';

// The overlays that docs/install.md shows, as it shows them: the text is read from the page.

const REPOSITORY = join(import.meta.dirname, '../..');
const PAGE = readPage('docs/install.md');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'podwire-documented-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The lines of a code block of the page, from a line to the next empty one, without their indent. */
function blockAt(firstLine: string): string {
  const start = PAGE.indexOf(`\n    ${firstLine}`);
  if (start < 0) throw new Error(`docs/install.md has no ${firstLine}`);
  const lines = PAGE.slice(start + 1).split('\n');
  return `${lines
    .slice(0, lines.indexOf(''))
    .map((line) => line.slice(4))
    .join('\n')}\n`;
}

/** Builds an overlay from the page beside a copy of the paths that it names. */
async function build(overlay: string, files: Readonly<Record<string, string>> = {}) {
  const target = await mkdtemp(join(folder, 'my-cluster-'));
  const text = overlay.replaceAll('../cni-conf', `${pathTo(target)}/cni-conf`);
  await writeFile(join(target, 'kustomization.yaml'), text);
  for (const [name, content] of Object.entries(files)) await writeFile(join(target, name), content);
  return { target, objects: parseManifest(await kustomize(target)) };
}

const pathTo = (target: string) => `${'../'.repeat(target.split('/').length - 1)}${REPOSITORY.slice(1)}`;

it('the first one has both families, masquerading and the image of another registry', async () => {
  const { objects } = await build(blockAt('# my-cluster/kustomization.yaml, then: kubectl apply -k my-cluster'));
  const text = JSON.stringify(objects);
  expect(text).toContain('"image":"registry.example/podwire:0.1.0"');
  expect(text).toContain('{"name":"IP_FAMILIES","value":"ipv4,ipv6"}');
  expect(text).toContain('"podwire-masquerade"');
  expect(text).not.toContain('localhost/');
});

it('the one with other networks has a table that nft accepts, with these networks', async () => {
  const overlay = blockAt('# my-cluster/kustomization.yaml, with other networks');
  const { target, objects } = await build(overlay, { 'networks.yaml': blockAt('# my-cluster/networks.yaml') });
  const data = objects.find(
    ({ kind, metadata }) => kind === 'ConfigMap' && /masquerade/.test(memberText(metadata, 'name')),
  )?.['data'];
  const files = data ?? null;
  expect(Object.keys(isJsonObject(files) ? files : {}).toSorted()).toEqual(['masquerade.nft', 'networks.nft']);
  for (const name of ['masquerade.nft', 'networks.nft']) await writeFile(join(target, name), memberText(files, name));
  const host = hostNamespace();
  await host.exec('nft', '--includepath', target, '--file', join(target, 'masquerade.nft'));
  const table = await host.exec('nft', 'list', 'table', 'inet', 'podwire_masquerade');
  await host.exec('nft', 'delete', 'table', 'inet', 'podwire_masquerade');
  expect(table).toContain('10.42.0.0/16, 192.0.2.0/24');
  expect(table).toContain('fd00:42::/48');
});

it('the patches of the IP pools change their networks', async () => {
  const overlay = `resources: [../cni-conf/overlays/bgp]\ncomponents: [../cni-conf/components/masquerade-agent]\n`;
  const { objects } = await build(`${overlay}${blockAt('patches:\n')}`);
  const cidrs = objects.filter(({ kind }) => kind === 'IPPool').map((pool) => member(pool, 'spec', 'cidr'));
  expect(cidrs).toEqual(['10.42.0.0/16', 'fd00:42::/48']);
});

it('the one for k3s has its folders', async () => {
  const lines =
    '# my-cluster/kustomization.yaml\n    resources: [../cni-conf/overlays/podcidr-routes]\n    components: [../cni-conf/components/k3s';
  const { objects } = await build(blockAt(lines), { 'networks.yaml': blockAt('# my-cluster/networks.yaml') });
  expect(JSON.stringify(objects)).toContain('"path":"/var/lib/rancher/k3s/data/cni"');
  expect(JSON.stringify(objects)).toContain('define pods_ipv4 = { 10.42.0.0/16 }');
});

it('the one for Cilium replaces the template, with the older version of CNI', async () => {
  const overlay = blockAt(
    'resources: [../cni-conf/overlays/podcidr-routes]\n    components:\n      - ../cni-conf/components/cilium',
  );
  const text = JSON.stringify((await build(overlay)).objects);
  expect(text).toContain('cilium-cni');
  expect(text).toContain('{"name":"CNI_SPEC_VERSION","value":"1.0.0"}');
});
