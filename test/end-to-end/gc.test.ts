import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/json/json.ts';
import { fakeDelegate } from '../support/delegates/fake-delegate.ts';
import { makeGatedDelegate } from '../support/delegates/gated-delegate.ts';
import { makeLoopbackPod, type LoopbackPod } from '../support/nodes/loopback-pod.ts';
import { startLoopbackNode, type LoopbackNode } from '../support/nodes/loopback-node.ts';
import { hostNamespace } from '../lab/namespaces/network-namespace.ts';
import { memberText } from '../lab/member.ts';
import { JOURNAL, type NodeState } from '../support/nodes/node-state.ts';

let node: LoopbackNode;
let before: NodeState;
let stale: LoopbackPod;
let valid: LoopbackPod;
beforeAll(async () => {
  node = await startLoopbackNode();
});
beforeEach(async () => {
  before = await node.state();
  [stale, valid] = [await makeLoopbackPod(node, 'stale'), await makeLoopbackPod(node, 'valid')];
  return async () => {
    await node.api.setFault(undefined);
    for (const pod of [stale, valid]) {
      await node.run({ verb: 'DEL', config: config(), ...pod.call });
      await pod[Symbol.asyncDispose]();
    }
    expect(await node.state()).toEqual(before);
  };
});
afterAll(() => node[Symbol.asyncDispose]());

const config = (overrides: JsonObject = {}) => node.netconf({ cniVersion: '1.1.0', ...overrides });
const add = async (pod: LoopbackPod, overrides: JsonObject = {}) => {
  expect(await node.run({ verb: 'ADD', config: config(overrides), ...pod.call })).toMatchObject({ exitCode: 0 });
};
const listing = (...pods: readonly LoopbackPod[]) => ({ 'cni.dev/valid-attachments': pods.map((pod) => pod.valid) });
/** As libcni calls it: the variables of an attachment are set and empty. */
const gc = (overrides: JsonObject, pluginPath = node.pluginPath) =>
  node.run({
    verb: 'GC',
    config: config(overrides),
    pluginPath,
    environment: { CNI_CONTAINERID: '', CNI_NETNS: '', CNI_IFNAME: '', CNI_ARGS: '' },
  });
const recordPath = (pod: LoopbackPod) =>
  join(JOURNAL, memberText(config(), 'name'), `${pod.containerId}@eth0.record.json`);

describe('GC', () => {
  it('removes interface, lease, endpoint and record of attachments that are not listed, and keeps the others', async () => {
    await add(valid);
    const standing = await node.state();
    await add(stale);
    expect(stale.endpoint()).not.toEqual({});
    expect(await gc(listing(valid))).toMatchObject({ exitCode: 0, stdout: '' });
    expect(await node.state()).toEqual(standing);
    expect(stale.endpoint()).toEqual({});
    expect(valid.endpoint()).toMatchObject({ containerID: valid.containerId });
    expect(await stale.sandbox.ip('link', 'show')).toHaveLength(1);
    expect(await valid.sandbox.ip('link', 'show', 'dev', 'eth0')).toHaveLength(1);
  });

  it.each(['cni.dev/valid-attachments', 'cni.dev/attachments'])(
    'takes an empty %s, and null, for none that is valid',
    async (key) => {
      for (const list of [[], null]) {
        await add(stale);
        expect(await gc({ [key]: list })).toMatchObject({ exitCode: 0 });
        expect(await node.state()).toEqual(before);
      }
    },
  );

  it('deletes nothing without a list, and warns', async () => {
    await add(stale);
    const standing = await node.state();
    const { exitCode, stderr } = await gc({});
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/WARNING GC without a list of valid attachments: deleting nothing/);
    expect(await node.state()).toEqual(standing);
  });

  it('keeps attachments of another network', async () => {
    const other = `${memberText(config(), 'name')}-other`;
    await add(stale, { name: other });
    const standing = await node.state();
    expect(await gc(listing())).toMatchObject({ exitCode: 0 });
    expect(await node.state()).toEqual(standing);
    expect(await gc({ ...listing(), name: other })).toMatchObject({ exitCode: 0 });
  });

  it.each([
    ['empty', ''],
    ['cut off', '{"format":1,"stage":"att'],
    ['of another format', '{"format":2}'],
    ['garbage', '\u0000\u0001\u0002'],
  ])(
    'whose record is %s takes it down, link before lease, warns once, and keeps one that is listed',
    async (_, text) => {
      await add(valid);
      await add(stale);
      for (const pod of [valid, stale]) await writeFile(recordPath(pod), text);
      const { exitCode, stderr } = await gc(listing(valid));
      expect(exitCode).toBe(0);
      expect(stderr.match(/WARNING the record of container id-stale, eth0, is damaged/g)).toHaveLength(1);
      expect(stderr).not.toContain('id-valid');
      expect(await hostNamespace().exec('ip', '-o', 'link', 'show')).not.toContain(stale.hostInterface);
      expect((await node.leases()).filter((lease) => lease.includes('id-stale'))).toEqual([]);
      expect(await valid.sandbox.ip('link', 'show', 'dev', 'eth0')).toHaveLength(1);
      expect((await node.leases()).filter((lease) => lease.includes('id-valid'))).toHaveLength(2);
      expect((await gc(listing(valid))).stderr).not.toContain('WARNING');
      expect(stale.endpoint()).toEqual({});
    },
  );

  it('whose record is damaged deletes the link before it releases the lease: no other pod gets an address that a link has', async () => {
    await add(stale);
    await writeFile(recordPath(stale), '');
    const folder = fakeDelegate(
      `if [ "$CNI_COMMAND" = DEL ] && ip -o link show ${stale.hostInterface} 2>/dev/null; then echo early > $(dirname "$0")/early; fi; printf '%s' "$stdin" | ${node.pluginPath}/host-local`,
      { name: 'host-local' },
    );
    expect(await gc(listing(), folder)).toMatchObject({ exitCode: 0 });
    await expect(rm(join(folder, 'early'))).rejects.toThrow(/ENOENT/);
    await rm(folder, { recursive: true });
    expect(await node.state()).toEqual(before);
  });

  it('finds attachments without a record by their alias', async () => {
    await add(valid);
    const standing = await node.state();
    await add(stale);
    for (const pod of [valid, stale]) await rm(recordPath(pod));
    const { exitCode, stderr } = await gc(listing(valid));
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(
      new RegExp(`WARNING host interface ${stale.hostInterface} belongs to no valid container and has no record`),
    );
    expect({ ...(await node.state()), records: [] }).toEqual({ ...standing, records: [] });
    expect(stale.endpoint()).toEqual({});
    expect(await valid.sandbox.ip('link', 'show', 'dev', 'eth0')).toHaveLength(1);
  });

  it('does not change the attachment of a running ADD', async () => {
    using gate = await makeGatedDelegate(node.folder, node.pluginPath, 'after');
    const running = node.start({ verb: 'ADD', config: config(), ...stale.call, pluginPath: gate.folder });
    await gate.arrived;
    expect(await gc(listing())).toMatchObject({ exitCode: 0 });
    expect(await node.leases()).toHaveLength(2);
    gate.release();
    expect(await running.ended).toMatchObject({ exitCode: 0 });
    expect(await stale.sandbox.ip('link', 'show', 'dev', 'eth0')).toHaveLength(1);
  });

  it('continues after a lease that cannot be released, and names it at the end', async () => {
    await add(stale);
    await add(valid);
    const script = `if [ "$CNI_COMMAND$CNI_CONTAINERID" = DELid-stale ]; then echo '{"code":11,"msg":"the disk hangs"}'; exit 1; fi; printf '%s' "$stdin" | ${node.pluginPath}/host-local`;
    const folder = fakeDelegate(script, { name: 'host-local' });
    const { exitCode, answer } = await gc(listing(), folder);
    expect({ exitCode, code: answer?.['code'] }).toEqual({ exitCode: 1, code: 5 });
    expect(answer?.['details']).toMatch(/^container id-stale: the disk hangs$/);
    const left = await node.leases();
    expect(left.every((lease) => lease.includes('id-stale')) && left.length === 2).toBe(true);
    expect(await hostNamespace().exec('ip', '-o', 'link', 'show')).not.toMatch(/cali/);
    expect(await gc(listing())).toMatchObject({ exitCode: 0 });
    await rm(folder, { recursive: true });
    expect(await node.state()).toEqual(before);
  });

  it('continues after IPAM plugins that hang, without waiting for children that hold their pipes', async () => {
    await using stack = new AsyncDisposableStack();
    const pods = [stale, valid];
    for (const name of ['third', 'fourth', 'fifth']) pods.push(stack.use(await makeLoopbackPod(node, name)));
    for (const pod of pods) await add(pod);
    // Node has four threads to read pipes, and to delete links.
    const script = `sleep 60 <&0 2>/dev/null & echo $! >> "$0.children"; wait`;
    const folder = fakeDelegate(script, { name: 'host-local' });
    const { exitCode, answer } = await gc({ ...listing(), budgets: { delegate_ms: 300 } }, folder);
    const children = (await readFile(join(folder, 'host-local.children'), 'utf8')).split('\n').filter(Boolean);
    for (const pid of children) process.kill(Number(pid)); // throws if the process has ended
    expect(children.length).toBeGreaterThanOrEqual(pods.length);
    expect({ exitCode, code: answer?.['code'] }).toEqual({ exitCode: 1, code: 5 });
    for (const { containerId } of pods) expect(answer?.['details']).toContain(`container ${containerId}: `);
    expect(await hostNamespace().exec('ip', '-o', 'link', 'show')).not.toMatch(/cali/);
    expect(await gc(listing())).toMatchObject({ exitCode: 0 });
    await rm(folder, { recursive: true });
    expect(await node.state()).toEqual(before);
  });

  it.each(['DEL', 'GC'])('without the API leaves the endpoint to a later %s', async (later) => {
    await add(stale);
    await add(valid);
    await node.api.setFault({ kind: 'refuse' });
    expect(await gc(listing(valid))).toMatchObject({ exitCode: 0 });
    expect((await node.leases()).filter((lease) => lease.includes('id-stale'))).toEqual([]);
    expect(stale.endpoint()).toMatchObject({ containerID: stale.containerId });
    expect((await node.state()).records).toContain(`${stale.containerId}@eth0.endpoint.json`);
    await node.api.setFault(undefined);
    const ended =
      later === 'GC' ? await gc(listing(valid)) : await node.run({ verb: 'DEL', config: config(), ...valid.call });
    expect(ended).toMatchObject({ exitCode: 0 });
    expect(stale.endpoint()).toEqual({});
    expect((await node.state()).records).toEqual(later === 'GC' ? [`${valid.containerId}@eth0.record.json`] : []);
  });
});
