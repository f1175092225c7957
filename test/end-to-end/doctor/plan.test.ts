import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDoctorNode, type DoctorNode } from '../../lab/doctor-node/doctor-node.ts';
import { member, memberText } from '../../lab/member.ts';
import { hostNamespace } from '../../lab/namespaces/network-namespace.ts';
import { runExecutable } from '../../lab/run-executable.ts';

let node: DoctorNode;
beforeAll(async () => void (node = await startDoctorNode({ podCIDRs: ['10.71.0.0/29'] })));
afterAll(() => node[Symbol.asyncDispose]());

const plan = async (...args: readonly string[]) =>
  runExecutable({ args: ['plan', ...args], stdin: await readFile(node.conflistPath), environment: node.environment });

describe('podwire plan', () => {
  it('prints what ADD then does: names, addresses, routes and settings', async () => {
    await node.attach('first');
    await node.cluster.createPod('default', 'web', { nodeName: 'node-1' });
    const { exitCode, answer, stderr } = await plan('--pod', 'default/web', '-o', 'json');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(answer).toMatchObject({
      schema: 1,
      pod: 'default/web',
      node: 'node-1',
      failure: null,
      requests: ['get node node-1'],
    });
    await node.cluster.admin.delete('/api/v1/namespaces/default/pods/web?gracePeriodSeconds=0');

    const pod = await node.attach('web');
    expect(memberText(answer, 'hostInterface')).toBe(pod.hostInterface);
    const list: unknown = member(answer, 'steps');
    const steps: readonly unknown[] = Array.isArray(list) ? list : [];
    const [address] = steps
      .filter((step) => memberText(step, 'kind') === 'add-address')
      .map((step) => memberText(step, 'address'));
    expect(memberText(answer, 'endpoint', 'cni.projectcalico.org/podIPs')).toBe(address);
    expect(pod.added.stdout).toContain(`"address":"${address}"`);
    const host = hostNamespace();
    const namespaceOf = (step: unknown) => (memberText(step, 'in') === 'host' ? host : pod.sandbox);
    for (const step of steps.filter(
      (item) => memberText(item, 'kind') === 'write-sysctl' && member(item, 'ifValueIn') === undefined,
    )) {
      expect(await namespaceOf(step).readSysctl(memberText(step, 'key'))).toBe(memberText(step, 'value'));
    }
    for (const step of steps.filter((item) => memberText(item, 'kind') === 'add-route')) {
      const destination = memberText(step, 'route', 'destination').replace('0.0.0.0/0', 'default').replace('/32', '');
      expect(
        await namespaceOf(step).ip('route', 'show', destination, 'dev', memberText(step, 'interface')),
      ).toHaveLength(1);
    }
    await pod.remove();
  });

  it('changes nothing', async () => {
    const state = async () => JSON.stringify([await hostNamespace().ip('link'), await hostNamespace().ip('route')]);
    const before = await state();
    await plan('--pod', 'default/first');
    expect(await state()).toBe(before);
  });

  it('is one screen for people', async () => {
    const { stdout } = await plan('--pod', 'default/first');
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(stdout).toMatch(
      /^ADD of default\/first on node-1, network k8s-pod-network \(nothing is done\)\n\n #  WHERE {3}WHAT\n 1 {2}API {5}get node node-1/,
    );
    expect(stdout).toContain('free: 10.71.0.');
    expect(stdout).toContain('Sources: mtu: the default of the kernel');
  });

  it('names the step at which the ADD would fail', async () => {
    const pods = [];
    for (const name of ['a', 'b', 'c', 'd']) pods.push(await node.attach(name));
    const { exitCode, stdout } = await plan('--pod', 'default/first');
    for (const pod of pods) await pod.remove();
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(
      /It would fail at step 2: no IP addresses available in range set: 10\.71\.0\.0\/29 is\s+full \[PW305\]/,
    );
    const gone = await plan('--pod', 'default/gone', '-o', 'json');
    expect(gone).toMatchObject({
      exitCode: 1,
      answer: { failure: { step: 1, message: expect.stringContaining('no pod default/gone') } },
    });
  });
});
