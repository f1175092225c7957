import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDoctorNode, type DoctorNode, type DoctorPod } from '../../lab/doctor-node/doctor-node.ts';
import { memberText } from '../../lab/member.ts';
import { hostNamespace } from '../../lab/namespaces/network-namespace.ts';
import { runExecutable } from '../../lab/run-executable.ts';

let node: DoctorNode;
let pod: DoctorPod;
beforeAll(async () => {
  node = await startDoctorNode();
  pod = await node.attach('web');
  await node.attach('other');
});
afterAll(() => node[Symbol.asyncDispose]());

describe('podwire explain', () => {
  it.each([
    ['a pod', () => 'default/web'],
    ['a pod without its namespace', () => 'web'],
    ['the beginning of a container id', () => 'web-0'],
    ['an address', () => '10.71.0.2'],
    ['a host interface', () => pod.hostInterface],
  ])('finds an attachment by %s', async (_, target) => {
    const { exitCode, answer } = await node.podwire('explain', target(), '-o', 'json');
    expect(exitCode).toBe(0);
    expect(answer).toMatchObject({
      schema: 1,
      pod: 'default/web',
      container: pod.containerId,
      stage: 'attached',
      sandbox: { path: pod.sandbox.path, state: 'exists' },
      leases: [{ address: '10.71.0.2' }],
      endpoint: { addresses: '10.71.0.2/32', state: 'as planned' },
      differences: [],
      fix: [],
    });
  });

  it('lists both ends with their addresses and routes', async () => {
    const { stdout } = await node.podwire('explain', 'web');
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(stdout).toContain(
      `On the node\n  ${pod.hostInterface} ee:ee:ee:ee:ee:ee\n  mtu 1500\n  ✓ route 10.71.0.2/32\n`,
    );
    expect(stdout).toMatch(
      /In the pod\n {2}eth0 [0-9a-f:]{17}\n {2}mtu 1500\n {2}10\.71\.0\.2\/32\n {2}✓ route 169\.254\.1\.1\/32\n/,
    );
    expect(stdout).toContain('As planned: nothing differs.');
  });

  it('draws them on a terminal', async () => {
    const args = [
      '--quiet',
      '--return',
      '--command',
      `stty columns 80; ${node.programs}/podwire explain web`,
      '/dev/null',
    ];
    const { stdout } = await runExecutable({
      executable: 'script',
      args,
      environment: { ...node.environment, NO_COLOR: '1' },
    });
    expect(stdout).toMatch(/│ eth0 [0-9a-f:]{17} +├─────┤ cali\w+ ee:ee:ee:ee:ee:ee/);
    const lines = stdout.split(/\r?\n/);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines.filter((line) => /[┌└│]/.test(line)).map((line) => line.length)).toEqual(expect.arrayContaining([78]));
  });

  it('names what differs, its effect, and the command that repairs it', async () => {
    const host = hostNamespace();
    await host.ip('route', 'del', '10.71.0.2/32');
    await host.exec('sysctl', '-qw', `net.ipv4.conf.${pod.hostInterface}.proxy_arp=0`);
    const { exitCode, answer } = await node.podwire('explain', 'web', '-o', 'json');
    const { stdout } = await node.podwire('explain', 'web');
    await host.ip('route', 'add', '10.71.0.2/32', 'dev', pod.hostInterface, 'scope', 'link');
    await host.exec('sysctl', '-qw', `net.ipv4.conf.${pod.hostInterface}.proxy_arp=1`);
    expect(exitCode).toBe(1);
    expect(answer).toMatchObject({
      differences: [
        { what: expect.stringContaining('proxy_arp'), expected: '1', actual: '0' },
        { what: 'route to 10.71.0.2/32 (host)', effect: 'the node drops packets to this address of the pod' },
      ],
      fix: ['kubectl -n default delete pod web'],
    });
    expect(stdout).toContain('Differs from the plan (2)');
    expect(stdout).toContain('  ✗ route 10.71.0.2/32\n');
  });

  it('an unknown name is a failure', async () =>
    expect(await node.podwire('explain', 'none')).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringContaining('nothing on this node is called "none"'),
    }));

  it('prints the name of the pod for other commands', async () =>
    expect((await node.podwire('explain', '10.71.0.2', '-o', 'name')).stdout).toBe('default/web\n'));

  it('shows no secret', async () => {
    const { stdout } = await node.podwire('explain', 'web', '-o', 'json');
    expect(stdout).not.toMatch(/eyJ[\w-]{20}/);
    expect(memberText(JSON.parse(stdout), 'record')).toContain('/var/lib/podwire/networks/');
  });
});
