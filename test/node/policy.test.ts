import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/json/json.ts';
import { readTemplate } from '../support/servers/manifest.ts';
import { applyDaemonSet } from '../support/kubelet/daemon-set.ts';
import { type KubeletNode, type KubeletNodeState, startKubeletNode } from '../support/kubelet/kubelet-node.ts';
import { webUrl, type RunPod } from '../support/kubelet/pods.ts';
import { startNodePolicyAgent } from '../support/kubelet/policy-agent.ts';
import type { RestartableServers } from '../lab/api-server/server-process.ts';
import { until } from '../lab/until.ts';
import { member } from '../lab/member.ts';
import { useForAllTests } from '../support/suite/hooks.ts';

// Cilium's plugin is chained after podwire's, and Cilium's agent enforces what NetworkPolicies say on the interfaces that podwire has made.

const POLICIES = '/apis/networking.k8s.io/v1/namespaces/default/networkpolicies';
const FAMILIES = [
  ['IPv4', 0],
  ['IPv6', 1],
] as const;

let node: KubeletNode;
let agent: RestartableServers;
let untouched: KubeletNodeState;
let web: RunPod;

useForAllTests(async () => (node = await startKubeletNode()));
useForAllTests(async () => (agent = await startNodePolicyAgent(node)));
beforeAll(async () => {
  untouched = await stateOfPods();
  await applyDaemonSet(node, { template: readTemplate('components/cilium') });
  web = await node.pods.serve('web');
});

/** A command that requests the page of web until it gets a response, or until three requests in a row get none. */
async function asking(end: 'answered' | 'unanswered', family: 0 | 1 = 0): Promise<string> {
  const address = (await web.addresses())[family];
  if (address === undefined) throw new Error('web has no address of this family');
  const get = `timeout 2 wget -q -O - '${webUrl(address)}' 2>/dev/null`;
  if (end === 'answered') return `until ${get}; do sleep 0.2; done`;
  // 143 means that the timeout ended wget. Any other status means that there was a response, even if no process
  // listens.
  return `missed=0; while [ $missed -lt 3 ]; do
    ${get} >/dev/null
    if [ $? = 143 ]; then missed=$((missed + 1)); else missed=0; sleep 0.2; fi
  done; echo unanswered`;
}

const ask = async (name: string, end: 'answered' | 'unanswered', family: 0 | 1 = 0) =>
  node.pods.output(name, await asking(end, family));

async function withPolicy(spec: JsonObject, use: () => Promise<void>): Promise<void> {
  const { admin } = node.cluster;
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
    const endpoint = await node.cluster.admin.get('/apis/cilium.io/v2/namespaces/default/ciliumendpoints/web');
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

  it('on a pod that is to start: the kubelet’s probes reach it, another pod does not', () =>
    withPolicy({ ...labelled('probed'), policyTypes: ['Ingress'] }, async () => {
      const probed = await node.pods.serve('probed');
      const [address = ''] = await probed.addresses();
      const command = `timeout 2 wget -q -O - '${webUrl(address)}' 2>/dev/null || echo $?`;
      expect(await node.pods.output('stranger', command)).toBe('143\n');
      await probed.delete();
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

describe('a pod with a hostPort', () => {
  it('is reached by it', async () => {
    const pod = await node.pods.serve('published', { ports: [{ containerPort: 8080, hostPort: 30080 }] });
    expect(await (await fetch('http://192.0.2.10:30080/')).text()).toBe('hello\n');
    await pod.delete();
  });
});

describe('the agent is killed', () => {
  const beginAt = async (gate: string, name: string, end: 'answered' | 'unanswered') =>
    node.pods.begin(
      name,
      `until [ -e /gate/open ]; do sleep 0.1; done; ${await asking(end)}`,
      { volumeMounts: [{ name: 'gate', mountPath: '/gate' }] },
      { volumes: [{ name: 'gate', hostPath: { path: gate } }] },
    );

  // Without its agent Cilium's plugin takes 30 s to reject an ADD, and 20 s for a DEL.
  const deadlineMs = 150_000;

  it(
    'policies stay in force, and pods can be deleted; no pod starts, of which nothing is left, until it is back',
    () =>
      withPolicy(onlyFriend, async () => {
        const { pods } = node;
        await ask('stranger', 'unanswered');
        const before = await stateOfPods();
        await using gate = await mkdtempDisposable('/var/lib/podwire-gate-');
        const commands = [
          await beginAt(gate.path, 'stranger', 'unanswered'),
          await beginAt(gate.path, 'friend', 'answered'),
        ];
        const leaving = await pods.serve('leaving');
        await agent.stop();

        await writeFile(join(gate.path, 'open'), '');
        expect(await Promise.all(commands.map((command) => command.output()))).toEqual(['unanswered\n', 'hello\n']);
        await leaving.delete();
        expect(await stateOfPods()).toEqual(before);

        const late = await pods.create('late', { command: ['/bin/sleep', '600'] });
        const refusals = () => pods.events({ pod: 'late', reason: 'FailedCreatePodSandBox' });
        await until('the runtime was refused', async () => (await refusals()).length > 0, {
          deadlineMs,
          explain: () => pods.readLogs(),
        });
        expect((await refusals())[0]).toContain('Cilium');
        await until('nothing is left of the attempt', async () => isDeepStrictEqual(await stateOfPods(), before), {
          deadlineMs,
        });
        await agent.restart();
        await late.until('runs', (pod) => member(pod, 'status', 'phase') === 'Running', deadlineMs);
        await ask('stranger', 'unanswered');
        await late.delete();
      }),
    400_000,
  );
});

describe('at the end', () => {
  it('nothing is left on the node', async () => {
    await web.delete();
    expect(await stateOfPods()).toEqual(untouched);
  });
});

/** Everything that attachments leave on the node, without the agent's own interfaces and routes. */
async function stateOfPods(): Promise<KubeletNodeState> {
  const { routes, ...state } = await node.state();
  return {
    ...state,
    routes: routes.filter((route) => !/ dev cilium_/.test(route)),
  };
}
