import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/json/json.ts';
import { makeLoopbackPod, type LoopbackPod } from '../support/nodes/loopback-pod.ts';
import { CANARY_TOKEN, startLoopbackNode, type LoopbackNode } from '../support/nodes/loopback-node.ts';
import { makeSandbox } from '../lab/namespaces/network-namespace.ts';
import { recordFigure } from '../support/suite/reliability-figure.ts';
import { memberText } from '../lab/member.ts';
import { JOURNAL, type NodeState } from '../support/nodes/node-state.ts';

let node: LoopbackNode;
let before: NodeState;
let pod: LoopbackPod;
beforeAll(async () => {
  node = await startLoopbackNode();
});
beforeEach(async () => {
  before = await node.state();
  pod = await makeLoopbackPod(node, 'written');
  return async () => {
    await node.run({ verb: 'DEL', config: node.netconf(), ...pod.call });
    await pod[Symbol.asyncDispose]();
    expect(await node.state()).toEqual(before);
  };
});
afterAll(() => node[Symbol.asyncDispose]());

const folder = () => join(JOURNAL, memberText(node.netconf(), 'name'));
const recordPath = () => join(folder(), `${pod.containerId}@eth0.record.json`);
const add = (overrides: JsonObject = {}, within: readonly string[] = []) =>
  node.run({ verb: 'ADD', config: node.netconf(overrides), within, ...pod.call });
const del = (overrides: JsonObject = {}) => node.run({ verb: 'DEL', config: node.netconf(overrides), ...pod.call });

describe('a DEL that gets only container id and interface name', () => {
  const bare = (config: JsonObject) =>
    node.run({
      verb: 'DEL',
      config,
      containerId: pod.containerId,
      environment: { CNI_ARGS: undefined, CNI_NETNS: undefined },
    });
  const OTHERS: readonly (readonly [string, JsonObject])[] = [
    ['the netconf of its ADD', {}],
    ['another dataDir', { ipam: { dataDir: '/run/elsewhere' } }],
    ['other ranges', { ipam: { ranges: [[{ subnet: '192.168.0.0/24' }]] } }],
    ['another IPAM plugin', { ipam: { type: 'static' } }],
    ['a kubeconfig that is gone', { kubernetes: { kubeconfig: '/run/gone' } }],
    ['another prefix of the interfaces', {}],
  ];
  it.each(OTHERS)('and %s removes link, lease and endpoint', async (why, overrides) => {
    expect(await add()).toMatchObject({ exitCode: 0 });
    const ended =
      why === 'another prefix of the interfaces'
        ? await node.run({
            verb: 'DEL',
            config: node.netconf(),
            containerId: pod.containerId,
            environment: { CNI_ARGS: undefined, FELIX_INTERFACEPREFIX: 'tap' },
          })
        : await bare(node.netconf(overrides));
    expect(ended).toMatchObject({ exitCode: 0 });
    const { links, routes, leases, records } = await node.state();
    expect({ ...before, links, routes, leases }).toEqual(before);
    // Without a kubeconfig, a later command clears the endpoint.
    expect(records).toEqual(why.startsWith('a kubeconfig') ? [`${pod.containerId}@eth0.endpoint.json`] : []);
    expect(Object.keys(pod.endpoint()).length > 0).toBe(why.startsWith('a kubeconfig'));
  });
});

describe('a record', () => {
  it('can be read only by root, and holds no secret', async () => {
    const policy = {
      k8s_api_root: node.api.url,
      k8s_auth_token: CANARY_TOKEN,
      k8s_certificate_authority: join(node.folder, 'ca.pem'),
    };
    writeFileSync(policy.k8s_certificate_authority, node.api.authority.certificatePem);
    expect(await add({ kubernetes: {}, policy })).toMatchObject({ exitCode: 0 });
    expect(statSync(recordPath()).mode & 0o7777).toBe(0o600);
    expect(statSync(folder()).mode & 0o7777).toBe(0o700);
    expect(statSync(JOURNAL).mode & 0o7777).toBe(0o700);
    const text = readFileSync(recordPath(), 'utf8');
    for (const part of CANARY_TOKEN.split('.')) expect(text).not.toContain(part);
  });

  const DAMAGES: readonly (readonly [string, string])[] = [
    ['empty', ''],
    ['cut off', '{"format":1,"stage":"atta'],
    ['garbage', '\u0000\u0001'],
    ['of a later version', '{"format":99,"stage":"attached"}'],
  ];
  it.each(DAMAGES)('that is %s does not stop DEL, which warns once', async (_, text) => {
    expect(await add()).toMatchObject({ exitCode: 0 });
    writeFileSync(recordPath(), text);
    const ended = await del();
    expect(ended).toMatchObject({ exitCode: 0 });
    expect(ended.stderr.match(/ WARNING .*record.* is damaged/g)).toHaveLength(1);
    expect(await node.state()).toEqual(before);
    expect(await del()).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('that is damaged is replaced by the alias, if DEL gets no pod', async () => {
    expect(await add()).toMatchObject({ exitCode: 0 });
    writeFileSync(recordPath(), '');
    expect(
      await node.run({
        verb: 'DEL',
        config: node.netconf(),
        containerId: pod.containerId,
        environment: { CNI_ARGS: undefined },
      }),
    ).toMatchObject({ exitCode: 0 });
    expect(await node.state()).toEqual(before);
    expect(pod.endpoint()).toEqual({});
  });

  it.each(DAMAGES)('that is %s is repaired by the next ADD of its container', async (_, text) => {
    expect(await add()).toMatchObject({ exitCode: 0 });
    expect(await del()).toMatchObject({ exitCode: 0 });
    writeFileSync(recordPath(), text);
    const ended = await add();
    expect(ended).toMatchObject({ exitCode: 0 });
    expect(ended.stderr.match(/ WARNING .*record.* is damaged/g)).toHaveLength(1);
    expect(JSON.parse(readFileSync(recordPath(), 'utf8'))).toMatchObject({ stage: 'attached' });
    expect(await node.leases()).toHaveLength(2);
  });

  it('of one network is not used for another network', async () => {
    expect(await add()).toMatchObject({ exitCode: 0 });
    const standing = await node.state();
    const name = `${memberText(node.netconf(), 'name')}-other`;
    expect(
      await node.run({
        verb: 'DEL',
        config: node.netconf({ name }),
        containerId: pod.containerId,
        environment: { CNI_ARGS: undefined },
      }),
    ).toMatchObject({ exitCode: 0 });
    expect(await node.state()).toEqual(standing);
  });
});

describe('a network named native, whose folder earlier versions shared with the native code', () => {
  it('keeps its records apart, and finds one in the old place', async () => {
    const config = { ...node.netconf(), name: 'native' };
    const call = { config, ...pod.call };
    expect(await node.run({ verb: 'ADD', ...call })).toMatchObject({ exitCode: 0 });
    const [record = ''] = readdirSync('/var/lib/podwire/networks/native').filter((name) =>
      name.endsWith('.record.json'),
    );
    renameSync(join('/var/lib/podwire/networks/native', record), join('/var/lib/podwire/native', record));
    expect(await node.run({ verb: 'DEL', ...call })).toMatchObject({ exitCode: 0 });
    expect(readdirSync('/var/lib/podwire/native').filter((name) => name.endsWith('.json'))).toEqual([]);
    expect(readdirSync('/var/lib/podwire/networks/native').filter((name) => name.endsWith('.json'))).toEqual([]);
    expect(await node.state()).toEqual(before);
  });
});

describe('where no record can be written', () => {
  const inMounts = (commands: string) => ['unshare', '--mount', 'sh', '-ec', `${commands}; exec "$0"`];
  const full =
    'cp -a /var/lib/podwire /run/kept-journal; mount -t tmpfs -o mode=0755,size=24m none /var/lib/podwire; cp -a /run/kept-journal/. /var/lib/podwire; rm -r /run/kept-journal; dd if=/dev/zero of=/var/lib/podwire/filling bs=4k 2>/dev/null || true';
  it.each([
    ['read-only', 'mount --bind /var/lib/podwire /var/lib/podwire; mount -o remount,bind,ro /var/lib/podwire'],
    ['full', full],
  ])('because its disk is %s, ADD and DEL go on with one warning each', async (_, commands) => {
    // Unpacks the native code and cleans up after earlier boots, before the disk is full.
    expect(await add()).toMatchObject({ exitCode: 0 });
    expect(await del()).toMatchObject({ exitCode: 0 });
    for (const verb of ['ADD', 'DEL'] as const) {
      const ended = await node.run({ verb, config: node.netconf(), within: inMounts(commands), ...pod.call });
      expect(ended).toMatchObject({ exitCode: 0 });
      const warnings = ended.stderr.split('\n').filter((line) => line !== '');
      expect(warnings.length).toBeLessThanOrEqual(1);
      if (verb === 'ADD') expect(warnings).toEqual([expect.stringMatching(/ WARNING the journal cannot write /)]);
    }
    expect(await node.state()).toEqual(before);
  });
});

describe('records of many', () => {
  it('let DEL find each of 60 attachments by its id alone', async ({ task }) => {
    const sandboxes = new AsyncDisposableStack();
    const ids = Array.from({ length: 60 }, (_, index) => `many-${index}`);
    for (let first = 0; first < ids.length; first += 6) {
      await Promise.all(
        ids.slice(first, first + 6).map(async (containerId) => {
          const sandbox = sandboxes.use(await makeSandbox());
          expect(
            await node.run({
              verb: 'ADD',
              config: node.netconf(),
              containerId,
              sandboxPath: sandbox.path,
              environment: { CNI_ARGS: undefined },
            }),
          ).toMatchObject({ exitCode: 0 });
        }),
      );
    }
    expect(await node.leases()).toHaveLength(120);
    for (let first = 0; first < ids.length; first += 6) {
      const ended = await Promise.all(
        ids.slice(first, first + 6).map((containerId) =>
          node.run({
            verb: 'DEL',
            config: node.netconf({ ipam: { dataDir: '/run/elsewhere' } }),
            containerId,
            environment: { CNI_ARGS: undefined },
          }),
        ),
      );
      expect(ended.map(({ exitCode }) => exitCode)).toEqual(ended.map(() => 0));
    }
    expect(await node.state()).toEqual(before);
    await sandboxes.disposeAsync();
    recordFigure(task, {
      fault: 'DEL without sandbox, CNI_ARGS, prevResult, and with another dataDir',
      promise: 'what the record names is taken down',
      measured: `${ids.length} attachments, 0 links and 0 leases left`,
    });
  });
});
