import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { families, startTwoNodes, type ClusterNode, type TwoNodes } from '../lab/two-nodes/two-nodes.ts';
import { startBird, type Bird } from '../lab/two-nodes/bird.ts';
import { untilExchanged } from '../lab/two-nodes/learned.ts';
import { attachTo, observeTraces } from '../lab/two-nodes/pod.ts';
import { formatRoute, readRoutes } from '../lab/two-nodes/route.ts';
import { debianProgram } from '../lab/tools/debian-program.ts';
import { findHostLocal } from '../lab/tools/find-host-local.ts';
import type { NetworkNamespace } from '../lab/namespaces/network-namespace.ts';
import { until } from '../lab/until.ts';

// As docs/install.md, section 8, describes: from static routes to BGP and back, while pods of both nodes reach each other.

let cluster: TwoNodes;
let here: ClusterNode;
let there: ClusterNode;
beforeAll(async () => {
  cluster = await startTwoNodes(await findHostLocal());
  [here, there] = cluster.nodes;
});
afterAll(() => cluster[Symbol.asyncDispose]());

const METRIC = ['metric', '2000'];
/** The administrator's commands, on each node for the other's podCIDRs. */
async function ownRoutes(verb: 'add' | 'delete', metric: readonly string[]): Promise<void> {
  for (const [node, other] of bothWays())
    for (const { name, option } of families())
      await node.machine.ip(option, 'route', verb, other.podCidrs[name], 'via', other.addresses[name], ...metric);
}
const bothWays = () =>
  [
    [here, there],
    [there, here],
  ] as const;

async function flushBirds({ machine }: ClusterNode): Promise<void> {
  for (const { option } of families()) await machine.exec('ip', option, 'route', 'flush', 'proto', 'bird');
}

/** Routes to podCIDRs on a node, without metrics. */
async function podCidrRoutes({ machine }: ClusterNode): Promise<readonly string[]> {
  const podCidrs = cluster.nodes.flatMap((node) => families().map(({ name }) => node.podCidrs[name]));
  const routes = (await readRoutes(machine)).filter(({ destination }) => podCidrs.includes(destination));
  return routes.map(formatRoute).toSorted();
}

/** The routes that both nodes must have: the administrator's, BIRD's, or both. */
async function expectRoutes(makers: readonly ('own' | 'bird')[]): Promise<void> {
  for (const [node, other] of bothWays()) {
    const expected = families().flatMap(({ name }) => {
      const way = `${other.podCidrs[name]} via ${other.addresses[name]} dev uplink proto`;
      const ofBird = [`${way} bird`, `blackhole ${node.podCidrs[name]} proto bird`];
      return [...(makers.includes('own') ? [`${way} boot`] : []), ...(makers.includes('bird') ? ofBird : [])];
    });
    expect(await podCidrRoutes(node)).toEqual(expected.toSorted());
  }
}

async function startBirds(): Promise<readonly [Bird, Bird]> {
  const birds = [
    await startBird(await debianProgram('bird'), here, there, 'kept'),
    await startBird(await debianProgram('bird'), there, here, 'kept'),
  ] as const;
  await Promise.all(birds.map((bird) => bird.established()));
  await untilExchanged(cluster.nodes);
  return birds;
}

describe('a running cluster changes', () => {
  it('from static routes to BGP and back without the loss of a ping, and nothing is left', async () => {
    const before = await Promise.all(cluster.nodes.map(observeTraces));
    {
      await using client = await attachTo(here, 'client', cluster);
      await using web = await attachTo(there, 'web', cluster);
      await ownRoutes('add', []);
      const pings = await Promise.all(
        families().flatMap(({ name }) => [
          startSteadyPing(client.sandbox, web.addresses[name]),
          startSteadyPing(web.sandbox, client.addresses[name]),
        ]),
      );
      const goOn = () => Promise.all(pings.map((ping) => ping.more(5)));
      await expectRoutes(['own']);

      await ownRoutes('add', METRIC);
      await ownRoutes('delete', []);
      await goOn();
      await expectRoutes(['own']);
      const birds = await startBirds();
      await goOn();
      await expectRoutes(['own', 'bird']);
      await ownRoutes('delete', METRIC);
      await goOn();
      await expectRoutes(['bird']);

      await ownRoutes('add', METRIC);
      // One node after the other, as calico-node is restarted.
      for (const bird of birds) {
        await bird[Symbol.asyncDispose]();
        await goOn();
      }
      for (const node of cluster.nodes) await flushBirds(node);
      await goOn();
      await expectRoutes(['own']);

      const ended = await Promise.all(pings.map((ping) => ping.end()));
      expect(ended.map(({ lost }) => lost)).toEqual(pings.map(() => []));
      for (const { received } of ended) expect(received).toBeGreaterThan(30);
    }
    await ownRoutes('delete', METRIC);
    expect(await Promise.all(cluster.nodes.map(observeTraces))).toEqual(before);
  });

  it('a BIRD with "persist", as the agent’s, leaves its routes when it ends, and those are flushed', async () => {
    for (const bird of await startBirds()) await bird[Symbol.asyncDispose]();
    // The end of the first BIRD ended the session, and the second withdrew what it had learned.
    const { podCidrs } = here;
    expect(await podCidrRoutes(here)).toEqual(
      families()
        .flatMap(({ name }) => [
          `blackhole ${podCidrs[name]} proto bird`,
          `${there.podCidrs[name]} via ${there.addresses[name]} dev uplink proto bird`,
        ])
        .toSorted(),
    );
    for (const node of cluster.nodes) {
      await flushBirds(node);
      expect(await podCidrRoutes(node)).toEqual([]);
    }
  });
});

/** Pings that continue until they are ended. */
interface SteadyPing {
  /** Resolves when this many more replies have arrived. */
  more(count: number): Promise<void>;
  /**
   * Ends the pings.
   *
   * @returns the number of replies, and the numbers of the pings without one; the last ping may not have been
   *   answered yet
   */
  end(): Promise<{ readonly received: number; readonly lost: readonly number[] }>;
}

/** Pings from a namespace, ten times a second. */
async function startSteadyPing(from: NetworkNamespace, address: string): Promise<SteadyPing> {
  const words = [`--net=${from.path}`, '--', 'ping', '-n', '-i', '0.1', address];
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'nsenter', ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, LC_ALL: 'C' },
  });
  const exit = once(child, 'close');
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  const numbers = () => [...said.matchAll(/^\d+ bytes from .*icmp_seq=(\d+)/gm)].map(([, number]) => Number(number));
  const more = async (count: number) => {
    const wanted = numbers().length + count;
    await until(`${count} pings to ${address} have come back`, () => numbers().length >= wanted);
  };
  await more(1);
  return {
    more,
    async end() {
      child.kill('SIGINT');
      await exit;
      const came = new Set(numbers());
      const sent = Number(/^(\d+) packets transmitted/m.exec(said)?.[1] ?? Number.NaN);
      const lost = Array.from({ length: sent - 1 }, (_, index) => index + 1).filter((number) => !came.has(number));
      return { received: came.size, lost };
    },
  };
}
