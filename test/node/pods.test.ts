import { mkdtempDisposable, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostNamespace } from '../lab/namespaces/network-namespace.ts';
import { applyDaemonSet, type DaemonSetPod } from '../support/kubelet/daemon-set.ts';
import { type KubeletNode, type KubeletNodeState, startKubeletNode } from '../support/kubelet/kubelet-node.ts';
import { isReady, webUrl, type RunPod } from '../support/kubelet/pods.ts';
import { until } from '../lab/until.ts';

let node: KubeletNode;
let daemonSet: DaemonSetPod;
let untouched: KubeletNodeState;
let web: RunPod;

beforeAll(async () => {
  node = await startKubeletNode();
  untouched = await node.state();
  daemonSet = await applyDaemonSet(node);
  web = await node.pods.serve('web');
});
afterAll(() => node[Symbol.asyncDispose]());

const fetchText = async (from: string) => (await fetch(from)).text();

describe('the DaemonSet', () => {
  it('its init container places the programs, the kubeconfig and the conflist, in this order', async () => {
    const said = (await daemonSet.installerLog())
      .split('\n')
      .flatMap((line) => / INFO (\/[^:]+): /.exec(line)?.[1] ?? []);
    expect(said).toEqual([
      ...['podwire', 'host-local', 'portmap', 'bandwidth', 'tuning', 'loopback'].map((name) => `/opt/cni/bin/${name}`),
      '/etc/cni/net.d/podwire-kubeconfig',
      '/etc/cni/net.d/10-podwire.conflist',
    ]);
    expect((await readdir('/etc/cni/net.d')).toSorted()).toEqual(['10-podwire.conflist', 'podwire-kubeconfig']);
    const [libraries = ''] = await readdir('/opt/cni/bin/.podwire');
    expect(await readdir(`/opt/cni/bin/.podwire/${libraries}`)).toContain('libstdc++.so.6');
  });

  it('the runtime then reports a network that is ready, and the kubelet a node', async () => {
    expect(isReady(await node.pods.nodeIsReady())).toBe(true);
  });
});

describe('a pod', () => {
  it('is ready by a probe of the kubelet, with an address of each family', async () => {
    expect(await web.addresses()).toEqual([
      expect.stringMatching(/^10\.71\.0\.\d+$/),
      expect.stringMatching(/^fd71::/),
    ]);
  });

  it('has in its annotations the addresses that the kubelet reports', async () => {
    const [ipv4, ipv6] = await web.addresses();
    expect(await web.annotations()).toMatchObject({
      'cni.projectcalico.org/podIP': `${ipv4}/32`,
      'cni.projectcalico.org/podIPs': `${ipv4}/32,${ipv6}/128`,
      'cni.projectcalico.org/containerID': expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it('is not ready while the probe fails, and ready once it succeeds', async () => {
    await using gate = await mkdtempDisposable('/var/lib/podwire-gate-');
    const pod = await node.pods.create(
      'late',
      {
        command: ['/bin/sh', '-c', 'until [ -e /gate/open ]; do sleep 0.1; done; exec httpd -f -p 8080 -h /www'],
        readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
        volumeMounts: [{ name: 'gate', mountPath: '/gate' }],
      },
      { volumes: [{ name: 'gate', hostPath: { path: gate.path } }] },
    );
    await until(
      'the probe has failed',
      async () =>
        (await node.pods.events({ pod: 'late' })).some((message) => message.startsWith('Readiness probe failed')),
      { deadlineMs: 60_000 },
    );
    expect(isReady(await pod.read())).toBe(false);
    await writeFile(join(gate.path, 'open'), '');
    await pod.until('is ready', isReady);
    await pod.delete();
  });

  it.each(['IPv4', 'IPv6'])('is reached by the node and by another pod, %s', async (family) => {
    const address = (await web.addresses())[family === 'IPv4' ? 0 : 1] ?? '';
    expect(await fetchText(webUrl(address))).toBe('hello\n');
    expect(await node.pods.output('client', `wget -q -O - '${webUrl(address)}'`)).toBe('hello\n');
  });

  it.each([
    ['IPv4', '192.0.2.10'],
    ['IPv6', '2001:db8::10'],
  ])('reaches its node, %s', async (_, address) => {
    expect(await node.pods.output('pinger', `ping -c 1 -W 5 ${address}`)).toContain('1 packets received');
  });

  it.each([
    ['IPv4', 0],
    ['IPv6', 1],
  ])('is seen by another pod with its own address, not translated, %s', async (_, index) => {
    const address = (await web.addresses())[index] ?? '';
    const command = `wget -q -O - '${webUrl(address)}cgi-bin/whence'; ip -o address show dev eth0`;
    const [seen = '', ...own] = (await node.pods.output('talker', command)).split('\n');
    expect(own.join('\n')).toContain(` ${seen.replace('::ffff:', '').replace(/[[\]]/g, '')}/`);
  });

  it('answers on its hostPort, by portmap, to the node and to other pods', async () => {
    const pod = await node.pods.serve('published', { ports: [{ containerPort: 8080, hostPort: 30080 }] });
    expect(await fetchText(webUrl('192.0.2.10', 30_080))).toBe('hello\n');
    expect(await node.pods.output('visitor', `wget -q -O - '${webUrl('192.0.2.10', 30_080)}'`)).toBe('hello\n');
    await pod.delete();
    await expect(fetchText(webUrl('192.0.2.10', 30_080))).rejects.toThrow('fetch failed');
    expect(await hostNamespace().exec('iptables-save', '-t', 'nat')).not.toContain('30080');
  });
});

describe('many pods', () => {
  it('30 at once become ready, and nothing of them is left when they are deleted at once', async () => {
    const before = await node.state();
    const names = Array.from({ length: 30 }, (_, index) => `many-${index}`);
    const many = await Promise.all(names.map((name) => node.pods.serve(name)));
    const addresses = (await Promise.all(many.map((pod) => pod.addresses()))).flat();
    expect(new Set(addresses).size).toBe(60);
    await Promise.all(many.map((pod) => pod.delete()));
    expect(await node.state()).toEqual(before);
    expect(await node.pods.events({ reason: 'FailedCreatePodSandBox' })).toEqual([]);
  });
});

describe('at the end', () => {
  it('nothing is left on the node', async () => {
    await web.delete();
    expect(await node.state()).toEqual(untouched);
  });

  // Without a message the log has no file. It may report that a later command clears an annotation: the API server is
  // busy with thirty deletions, and the annotations disappear with the deleted pods.
  it('no ADD and no DEL has logged an error, or a warning of anything but a busy API server', async () => {
    const log = await readFile('/var/log/podwire/cni.log', 'utf8').catch(() => '');
    const lines = log.split('\n').filter((line) => /Z (WARNING|ERROR) .*/.test(line));
    expect(lines.filter((line) => !/a later command clears the endpoint of pod \S+ API server/.test(line))).toEqual([]);
  });
});
