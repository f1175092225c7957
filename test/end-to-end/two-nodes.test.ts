import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { NetworkNamespace } from '../lab/namespaces/network-namespace.ts';
import { connectFrom, listenIn } from '../lab/api-server/tcp-peer.ts';
import { startTwoNodes, type ClusterNode, type FamilyName, type TwoNodes } from '../lab/two-nodes/two-nodes.ts';
import { birdNames, startBird, type Bird } from '../lab/two-nodes/bird.ts';
import { untilExchanged, untilForgotten, untilLearned } from '../lab/two-nodes/learned.ts';
import { routeOf, routeTo } from '../lab/two-nodes/route.ts';
import { attachTo, observeTraces, type NodePod } from '../lab/two-nodes/pod.ts';
import { until } from '../lab/until.ts';
import { debianProgram } from '../lab/tools/debian-program.ts';
import { findHostLocal } from '../lab/tools/find-host-local.ts';

const PORT = 8000;
const FAMILIES = [
  { family: 'ipv4', hostLength: 32 },
  { family: 'ipv6', hostLength: 128 },
] as const satisfies readonly { family: FamilyName; hostLength: number }[];

let cluster: TwoNodes;
let here: ClusterNode;
let there: ClusterNode;
beforeAll(async () => {
  cluster = await startTwoNodes(await findHostLocal());
  [here, there] = cluster.nodes;
});
afterAll(() => cluster[Symbol.asyncDispose]());

describe('each test leaves both nodes as they were', () => {
  let before: readonly (readonly string[])[];
  const traces = () => Promise.all([here, there].map(observeTraces));
  beforeEach(async () => {
    before = await traces();
  });
  afterEach(async () => expect(await traces()).toEqual(before));

  describe('without routes between the nodes', () => {
    it.each(FAMILIES)('pods of different nodes do not reach each other: $family', async ({ family }) => {
      await using pods = await attachBoth();
      await expect(ping(pods.client, pods.web.addresses[family], '1')).rejects.toThrow(/ping/);
    });
  });

  describe('static routes to each other’s podCIDRs', () => {
    let routes: AsyncDisposableStack;
    beforeAll(async () => {
      routes = new AsyncDisposableStack();
      routes.use(await routeTo(there, here));
      routes.use(await routeTo(here, there));
    });
    afterAll(() => routes.disposeAsync());

    itReaches();
  });

  describe('podCIDRs exchanged by BIRD', () => {
    let birds: AsyncDisposableStack;
    let birdHere: Bird;
    let birdThere: Bird;
    beforeAll(async () => {
      birds = new AsyncDisposableStack();
      birdHere = birds.use(await startBird(await debianProgram('bird'), here, there));
      birdThere = birds.use(await startBird(await debianProgram('bird'), there, here));
      await Promise.all([birdHere.established(), birdThere.established()]);
      await untilExchanged(cluster.nodes);
    });
    afterAll(() => birds.disposeAsync());

    itReaches();

    it.each(FAMILIES)('the kernel has the podCIDRs by BIRD, its own as a blackhole: $family', async ({ family }) => {
      const via = { protocol: 'bird', gateway: there.addresses[family], interface: 'uplink' };
      expect(await routeOf(here.machine, there.podCidrs[family])).toMatchObject(via);
      expect(await routeOf(here.machine, here.podCidrs[family])).toMatchObject({ protocol: 'bird', type: 'blackhole' });
    });

    it.each(FAMILIES)(
      'BIRD learns the route to a pod, as of another maker: $family',
      async ({ family, hostLength }) => {
        await using pods = await attachBoth();
        await untilLearned(birdHere, pods.client);
        const shown = await birdHere.ask('show', 'route', `${pods.client.addresses[family]}/${hostLength}`, 'all');
        expect(shown).toContain(`unicast [${birdNames(family).kernel} `);
        expect(shown).toContain(`dev ${pods.client.hostInterface}\n`);
        expect(shown).toContain('Kernel.source: 3\n'); // RTPROT_BOOT
      },
    );

    it.each(FAMILIES)('BIRD gives the podCIDR to its peer, and no route to a pod: $family', async ({ family }) => {
      await using pods = await attachBoth();
      await untilLearned(birdHere, pods.client);
      const { bgp } = birdNames(family);
      expect(await birdHere.destinations('export', bgp)).toEqual([here.podCidrs[family]]);
      expect(await birdThere.destinations('protocol', bgp)).toEqual([here.podCidrs[family]]);
    });

    it('BIRD that rereads the kernel’s routes keeps the routes to a pod', async () => {
      await using pods = await attachBoth();
      await untilLearned(birdHere, pods.client);
      const kernels = FAMILIES.map(({ family }) => birdNames(family).kernel);
      for (const kernel of kernels) await birdHere.ask('disable', kernel);
      await untilForgotten(birdHere, pods.client);
      for (const kernel of kernels) await birdHere.ask('enable', kernel);
      await untilLearned(birdHere, pods.client);
      await untilExchanged(cluster.nodes);
      for (const { family } of FAMILIES) {
        const own = { interface: pods.client.hostInterface, protocol: 'boot' };
        expect(await routeOf(here.machine, pods.client.addresses[family])).toMatchObject(own);
        expect(await ping(pods.client, pods.web.addresses[family])).toBe('1 received');
      }
    });

    it('DEL removes the routes to a pod from BIRD’s tables', async () => {
      await using pods = await attachBoth();
      await untilLearned(birdHere, pods.client);
      await pods.client.detach();
      await untilForgotten(birdHere, pods.client);
      for (const { family } of FAMILIES)
        expect(await birdThere.destinations('protocol', birdNames(family).bgp)).toEqual([here.podCidrs[family]]);
    });
  });

  it('BIRD that ends removes its own routes, and keeps those to pods', async () => {
    await using pods = await attachBoth();
    await using birds = new AsyncDisposableStack();
    await untilLearned(birds.use(await startBird(await debianProgram('bird'), here, there)), pods.client);
    await until('BIRD has made its own routes', async () =>
      (await Promise.all(FAMILIES.map(({ family }) => routeOf(here.machine, here.podCidrs[family])))).every(Boolean),
    );
    await birds.disposeAsync();
    for (const { family } of FAMILIES) {
      expect(await routeOf(here.machine, here.podCidrs[family])).toBeUndefined();
      expect(await routeOf(here.machine, pods.client.addresses[family])).toMatchObject({ protocol: 'boot' });
    }
  });
});

function itReaches(): void {
  it.each(FAMILIES)('pods of different nodes reach each other by ping: $family', async ({ family }) => {
    await using pods = await attachBoth();
    expect(await ping(pods.client, pods.web.addresses[family])).toBe('1 received');
    expect(await ping(pods.web, pods.client.addresses[family])).toBe('1 received');
  });

  it.each(FAMILIES)('connections between nodes carry the pods’ own addresses: $family', async ({ family }) => {
    await using pods = await attachBoth();
    const { client, web } = pods;
    await using servers = new AsyncDisposableStack();
    servers.use(await listenIn(web.sandbox, PORT));
    servers.use(await listenIn(client.sandbox, PORT));
    expect(await connect(client.sandbox, web.addresses[family])).toBe(client.addresses[family]);
    expect(await connect(web.sandbox, client.addresses[family])).toBe(web.addresses[family]);
    expect(await connect(here.machine, web.addresses[family])).toBe(here.addresses[family]);
  });
}

interface BothPods extends AsyncDisposable {
  readonly client: NodePod;
  readonly web: NodePod;
}

async function attachBoth(): Promise<BothPods> {
  await using made = new AsyncDisposableStack();
  const client = made.use(await attachTo(here, 'client', cluster));
  const web = made.use(await attachTo(there, 'web', cluster));
  const attached = made.move();
  return { client, web, [Symbol.asyncDispose]: () => attached.disposeAsync() };
}

async function connect(from: NetworkNamespace, address: string): Promise<string> {
  return connectFrom(from, address, PORT);
}

// The first packet must be answered: a pod's first connection must not wait.
async function ping({ sandbox }: NodePod, address: string, limitSeconds = '5'): Promise<string> {
  const said = await sandbox.exec('ping', '-n', '-c', '1', '-W', limitSeconds, address);
  return /\d+ received/.exec(said)?.[0] ?? said;
}
