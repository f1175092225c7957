import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/cni/json.ts';
import { applyDaemonSet, readTemplate } from '../support/node-daemon-set.ts';
import { type NodeMachine, type NodeState, startNodeMachine } from '../support/node-machine.ts';
import { isReady, type RunPod } from '../support/node-pods.ts';
import { startNodePolicyAgent } from '../support/node-policy-agent.ts';
import { eventually } from '../support/node-wait.ts';
import type { RestartableServers } from '../support/server-process.ts';
import { member } from '../support/test-pod.ts';

// Cilium's plugin is chained after podwire's, and Cilium's agent enforces what NetworkPolicies say on the interfaces that podwire has made.

const POLICIES = '/apis/networking.k8s.io/v1/namespaces/default/networkpolicies';
const FAMILIES = [
  ['IPv4', 0],
  ['IPv6', 1],
] as const;

let machine: NodeMachine;
let agent: RestartableServers;
let untouched: NodeState;
let web: RunPod;

beforeAll(async () => {
  machine = await startNodeMachine();
  agent = await startNodePolicyAgent(machine);
  untouched = await stateOfPods();
  const template = readTemplate('cilium');
  await applyDaemonSet(machine, template.replace('"usePodCidr" }]', '$&, [{ "subnet": "usePodCidrIPv6" }]'));
  web = await machine.pods.serve('web');
});
afterAll(async () => {
  await machine[Symbol.asyncDispose]();
  await agent[Symbol.asyncDispose]();
});

/** A pod that asks web for its page until it is answered, or until it is not. */
async function ask(name: string, until: 'answered' | 'unanswered', family: 0 | 1 = 0): Promise<string> {
  const address = (await web.addresses())[family] ?? '';
  const host = address.includes(':') ? `[${address}]` : address;
  const loop = until === 'answered' ? 'until' : 'while';
  return machine.pods.output(name, `${loop} timeout 2 wget -q -O - 'http://${host}:8080/'; do sleep 0.2; done; true`);
}

async function withPolicy(spec: JsonObject, use: () => Promise<void>): Promise<void> {
  const { admin } = machine.cluster;
  await admin.create(POLICIES, { metadata: { name: 'rule' }, spec });
  try {
    await use();
  } finally {
    await admin.delete(`${POLICIES}/rule`);
  }
}

const labelled = (app: string) => ({ podSelector: { matchLabels: { app } } });
const onlyFriend = { ...labelled('web'), policyTypes: ['Ingress'], ingress: [{ from: [labelled('friend')] }] };

describe('without a policy', () => {
  it('the agent knows the pod by the addresses of its annotations', async () => {
    const [ipv4, ipv6] = await web.addresses();
    const endpoint = await machine.cluster.admin.get('/apis/cilium.io/v2/namespaces/default/ciliumendpoints/web');
    expect(member(endpoint, 'status', 'networking', 'addressing')).toEqual([{ ipv4, ipv6 }]);
    expect(await web.annotations()).toHaveProperty(['cni.projectcalico.org/podIPs'], `${ipv4}/32,${ipv6}/128`);
  });

  it.each(FAMILIES)('a pod is answered by every other, %s', async (_, family) => {
    expect(await ask('stranger', 'answered', family)).toBe('hello\n');
  });
});

describe('a policy', () => {
  it.each(FAMILIES)('on what a pod receives: it is answered to those that it names, and to no other, %s', (_, family) =>
    withPolicy(onlyFriend, async () => {
      await ask('stranger', 'unanswered', family);
      expect(await ask('friend', 'answered', family)).toBe('hello\n');
    }),
  );

  it('the kubelet still reaches the pod', () =>
    withPolicy(onlyFriend, async () => {
      await ask('stranger', 'unanswered');
      expect(isReady(await web.read())).toBe(true);
    }));

  it('on what a pod sends', () =>
    withPolicy({ ...labelled('silent'), policyTypes: ['Egress'] }, async () => {
      await ask('silent', 'unanswered');
      expect(await ask('stranger', 'answered')).toBe('hello\n');
    }));

  it('that is deleted is in force no more', async () => {
    expect(await ask('silent', 'answered')).toBe('hello\n');
  });
});

describe('the agent is killed', () => {
  it('what was in force stays, and no pod starts, of which nothing is left; when it is back, the pod starts', () =>
    withPolicy(onlyFriend, async () => {
      const { pods } = machine;
      await ask('stranger', 'unanswered');
      const before = await stateOfPods();
      await agent.stop();
      const late = await pods.create('late', { command: ['/bin/sleep', '600'] });
      const refusals = () => pods.events({ pod: 'late', reason: 'FailedCreatePodSandBox' });
      await eventually('the runtime was refused', async () => (await refusals()).length > 0, {
        explain: () => pods.readLogs(),
      });
      expect((await refusals())[0]).toContain('Cilium');
      await eventually('nothing is left of the attempt', async () => isDeepStrictEqual(await stateOfPods(), before));
      await agent.restart();
      await late.until('runs', (pod) => member(pod, 'status', 'phase') === 'Running', 120_000);
      await ask('stranger', 'unanswered');
      await late.delete();
    }));
});

describe('at the end', () => {
  it('nothing is left on the node', async () => {
    await web.delete();
    expect(await stateOfPods()).toEqual(untouched);
  });
});

/** What attachments leave on the node. The agent has interfaces of its own, whose routes come and go with it. */
async function stateOfPods(): Promise<NodeState> {
  const { routes, ...state } = await machine.state();
  return {
    ...state,
    routes: routes.filter((route) => !/ dev cilium_/.test(route)),
  };
}
