import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kustomize } from '../../build/render-overlay.ts';
import { isJsonObject } from '../../src/json/json.ts';
import { connectFrom, listenIn } from '../lab/api-server/tcp-peer.ts';
import { member, memberText } from '../lab/member.ts';
import { hostNamespace, type NetworkNamespace } from '../lab/namespaces/network-namespace.ts';
import { debianProgram } from '../lab/tools/debian-program.ts';
import { findHostLocal } from '../lab/tools/find-host-local.ts';
import { startBird } from '../lab/two-nodes/bird.ts';
import { untilExchanged } from '../lab/two-nodes/learned.ts';
import { attachTo, type NodePod } from '../lab/two-nodes/pod.ts';
import { routeTo } from '../lab/two-nodes/route.ts';
import { startTwoNodes, type ClusterNode, type FamilyName, type TwoNodes } from '../lab/two-nodes/two-nodes.ts';
import { parseManifest } from '../support/servers/manifest.ts';

// docs/install.md, section "Traffic that leaves the cluster". The namespace that holds the bridge between the nodes is a
// host outside the cluster: it is on the network of the nodes, and has no route to a podCIDR.

const PORT = 8000;
const FAMILIES: readonly FamilyName[] = ['ipv4', 'ipv6'];
const OUTSIDE = { ipv4: '198.51.100.1', ipv6: '2001:db8:51::1' } as const;
const CNI_CONF = join(import.meta.dirname, '../../cni-conf');

let cluster: TwoNodes;
let here: ClusterNode;
let there: ClusterNode;
let client: NodePod;
let web: NodePod;
let folder: string;
let command: readonly string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'podwire-masquerade-'));
  command = await renderMasquerade(folder);
  cluster = await startTwoNodes(await findHostLocal());
  [here, there] = cluster.nodes;
  client = await attachTo(here, 'client', cluster);
  web = await attachTo(there, 'web', cluster);
});
afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await web[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Renders the component, writes its files to the folder, and returns the command of its container for this folder. */
async function renderMasquerade(target: string): Promise<readonly string[]> {
  const conf = relative(target, CNI_CONF);
  const text = `resources: [${conf}/overlays/podcidr-routes]\ncomponents: [${conf}/components/masquerade]\n`;
  await writeFile(join(target, 'kustomization.yaml'), text);
  const objects = parseManifest(await kustomize(target));
  const find = (kind: string) =>
    objects.find((object) => object['kind'] === kind && JSON.stringify(object).includes('"podwire-masquerade'));
  const files = find('ConfigMap')?.['data'] ?? null;
  for (const name of Object.keys(isJsonObject(files) ? files : {}))
    await writeFile(join(target, name), memberText(files, name));
  const containers: unknown = member(find('DaemonSet'), 'spec', 'template', 'spec', 'initContainers');
  const words: unknown = Array.isArray(containers) ? member(containers[0], 'command') : undefined;
  return Array.isArray(words) ? words.map((word) => String(word).replace('/etc/podwire', target)) : [];
}

async function applyOn({ machine }: ClusterNode): Promise<void> {
  const [program = '', ...args] = command;
  await machine.exec(program, ...args);
}

const removeFrom = ({ machine }: ClusterNode) => machine.exec('nft', 'delete', 'table', 'inet', 'podwire_masquerade');

/** The address by which a server in one place sees a connection from another. */
async function seenBy(server: NetworkNamespace, address: string, from: NetworkNamespace): Promise<string> {
  await using _listening = await listenIn(server, PORT);
  return await connectFrom(from, address, PORT);
}

describe('without masquerading', () => {
  it.each(FAMILIES)('a host that has no route to the podCIDRs does not answer a pod: %s', async (family) => {
    const ping = client.sandbox.exec('ping', '-n', '-c', '1', '-W', '1', OUTSIDE[family]);
    await expect(ping).rejects.toThrow(/ping/);
  });

  it.each(FAMILIES)('but it answers the node: %s', async (family) =>
    expect(await seenBy(hostNamespace(), OUTSIDE[family], here.machine)).toBe(here.addresses[family]),
  );
});

describe.each(['static routes', 'BIRD'])('with the component masquerade, and %s between the nodes', (routing) => {
  const made = new AsyncDisposableStack();
  beforeAll(async () => {
    if (routing === 'BIRD') {
      const bird = await debianProgram('bird');
      const birds = [made.use(await startBird(bird, here, there)), made.use(await startBird(bird, there, here))];
      await Promise.all(birds.map((running) => running.established()));
      await untilExchanged(cluster.nodes);
    } else {
      made.use(await routeTo(there, here));
      made.use(await routeTo(here, there));
    }
    for (const node of cluster.nodes) {
      await applyOn(node);
      made.defer(async () => void (await removeFrom(node)));
    }
  });
  afterAll(() => made.disposeAsync());

  it.each(FAMILIES)('that host answers a pod, which has the address of its node: %s', async (family) => {
    expect(await client.sandbox.exec('ping', '-n', '-c', '1', '-W', '5', OUTSIDE[family])).toContain('1 received');
    expect(await seenBy(hostNamespace(), OUTSIDE[family], client.sandbox)).toBe(here.addresses[family]);
  });

  it.each(FAMILIES)('a pod of another node sees the address of the pod: %s', async (family) =>
    expect(await seenBy(web.sandbox, web.addresses[family], client.sandbox)).toBe(client.addresses[family]),
  );

  it.each(FAMILIES)('the own node sees the address of the pod, another node that of the node: %s', async (family) => {
    expect(await seenBy(here.machine, here.addresses[family], client.sandbox)).toBe(client.addresses[family]);
    expect(await seenBy(there.machine, there.addresses[family], client.sandbox)).toBe(here.addresses[family]);
  });

  it.each(FAMILIES)('what a node sends itself is unchanged: %s', async (family) =>
    expect(await seenBy(web.sandbox, web.addresses[family], here.machine)).toBe(here.addresses[family]),
  );

  it('applied again, as the probe does every minute, the table is the same', async () => {
    const shown = () => here.machine.exec('nft', 'list', 'table', 'inet', 'podwire_masquerade');
    const before = await shown();
    await applyOn(here);
    expect(await shown()).toBe(before);
  });

  it('a table that another program has flushed is complete after that', async () => {
    await here.machine.exec('nft', 'flush', 'ruleset');
    await applyOn(here);
    expect(await seenBy(hostNamespace(), OUTSIDE.ipv4, client.sandbox)).toBe(here.addresses.ipv4);
  });
});
