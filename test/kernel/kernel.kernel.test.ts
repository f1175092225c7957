import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openKernel, type Kernel, type Sandbox } from '../../src/kernel/kernel.ts';
import { planAttachmentSteps } from '../../src/plan/attachment-steps.ts';
import { attachmentFacts } from '../support/builders/attachment-facts.ts';
import { hostNamespace, makeSandbox } from '../lab/namespaces/network-namespace.ts';
import { sandboxInKernel } from '../support/kernel/attached-pod.ts';

const planned = (name: string, address: string) =>
  planAttachmentSteps(attachmentFacts({ hostInterface: { name, alias: `alias of ${name}` }, addresses: [address] }));

const ABSENT = { index: 2 ** 30, name: 'calinone' };

/** Deletes the interface that has this name now. */
async function deleteNamed(kernel: Kernel, where: Sandbox | 'host', name: string): Promise<'deleted' | 'absent'> {
  const found = await kernel.observeInterface(where, name);
  return found === undefined ? 'absent' : kernel.deleteInterface(where, found);
}

describe('an interface', () => {
  it('is observed on the host and in the sandbox', async () => {
    const { kernel, sandbox } = await sandboxInKernel();
    await kernel.apply(planned('caliseen', '10.8.0.1'), sandbox);
    const both = [await kernel.observeInterface('host', 'caliseen'), await kernel.observeInterface(sandbox, 'eth0')];
    expect(both).toEqual([
      expect.objectContaining({
        name: 'caliseen',
        mac: 'ee:ee:ee:ee:ee:ee',
        alias: 'alias of caliseen',
        linkKind: 'veth',
        isUp: true,
      }),
      expect.objectContaining({ name: 'eth0', mtuBytes: 1500, alias: undefined, linkKind: 'veth', isUp: true }),
    ]);
    expect(await hostNamespace().ip('link', 'show', 'caliseen')).toEqual([
      expect.objectContaining({ ifindex: both[0]?.index }),
    ]);
  });

  it('without a driver kind is observed too', async () => {
    const { kernel, sandbox } = await sandboxInKernel();
    expect(await kernel.observeInterface(sandbox, 'lo')).toMatchObject({
      index: 1,
      mac: '00:00:00:00:00:00',
      linkKind: undefined,
      isUp: false,
    });
  });

  it('that does not exist is observed as undefined and deleted as absent', async () => {
    const { kernel, sandbox } = await sandboxInKernel();
    expect(await kernel.observeInterface(sandbox, 'eth0')).toBeUndefined();
    expect(await kernel.observeInterface('host', 'calinone')).toBeUndefined();
    expect(await kernel.deleteInterface(sandbox, ABSENT)).toBe('absent');
    expect(await kernel.deleteInterface('host', ABSENT)).toBe('absent');
  });

  it.each(['host', 'sandbox'] as const)('is deleted with its other end, from the %s', async (where) => {
    const { kernel, sandbox, pod } = await sandboxInKernel();
    const name = `calidel${where.slice(0, 1)}`;
    await kernel.apply(planned(name, '10.8.0.2'), sandbox);
    const outcome = where === 'host' ? deleteNamed(kernel, 'host', name) : deleteNamed(kernel, sandbox, 'eth0');
    expect(await outcome).toBe('deleted');
    expect(await pod.ip('link', 'show', 'type', 'veth')).toEqual([]);
    expect(await kernel.observeInterface('host', name)).toBeUndefined();
  });

  it('that is deleted does not exist as soon as this is reported, before the kernel acknowledges it', async () => {
    const { kernel, sandbox, pod } = await sandboxInKernel();
    await kernel.apply(planned('caligone', '10.8.0.3'), sandbox);
    const found = await kernel.observeInterface('host', 'caligone');
    const { promise: gone, resolve } = Promise.withResolvers<'gone'>();
    const deletion = kernel.deleteInterface('host', found ?? ABSENT, () => resolve('gone'));
    expect(await Promise.race([gone, deletion])).toBe('gone');
    expect(await kernel.observeInterface('host', 'caligone')).toBeUndefined();
    expect(await kernel.observeInterface(sandbox, 'eth0')).toBeUndefined();
    expect(await pod.ip('route', 'show')).toEqual([]);
    expect(await deletion).toBe('deleted');
  });

  it('that cannot be deleted is an error with the name of the errno', async () => {
    const { kernel, sandbox } = await sandboxInKernel();
    await expect(deleteNamed(kernel, sandbox, 'lo')).rejects.toMatchObject({
      operation: 'delete',
      errnoName: 'ENOTSUP',
    });
  });

  it('is deleted while the event loop continues', async () => {
    const { kernel, sandbox } = await sandboxInKernel();
    await kernel.apply(planned('caliloop', '10.8.0.3'), sandbox);
    let turns = 0;
    let isDeleted = false;
    const countTurn = (): void => {
      turns++;
      if (!isDeleted) setImmediate(countTurn);
    };
    countTurn();
    await deleteNamed(kernel, 'host', 'caliloop');
    isDeleted = true;
    expect(turns).toBeGreaterThan(20);
  });
});

describe('the interfaces of the host', () => {
  it('are all listed, even if there are hundreds', async () => {
    const { kernel, sandbox } = await sandboxInKernel();
    await kernel.apply(planned('calilist', '10.8.0.6'), sandbox);
    const host = hostNamespace();
    onTestFinished(async () => {
      await host.exec('sh', '-c', '(for i in $(seq 150); do echo link delete calimany$i; done) | ip -batch -');
    });
    await host.exec('sh', '-c', '(for i in $(seq 150); do echo link add calimany$i type veth; done) | ip -batch -');
    const listed = await kernel.listInterfaces();
    expect(listed).toContainEqual(await kernel.observeInterface('host', 'calilist'));
    const names = listed.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['lo', 'uplink', 'calimany1', 'calimany150']));
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('a sandbox', () => {
  it('knows whether it is the namespace of this process, and is unavailable at a wrong path', async () => {
    await using kernel = openKernel();
    await using pod = await makeSandbox();
    expect(await kernel.openSandbox(pod.path)).toMatchObject({ kind: 'sandbox', path: pod.path, isOwnNetns: false });
    expect(await kernel.openSandbox('/proc/self/ns/net')).toMatchObject({ kind: 'sandbox', isOwnNetns: true });
    expect(await kernel.openSandbox('/run/none')).toEqual({
      kind: 'unavailable',
      reason: 'it does not exist (ENOENT)',
    });
  });

  it('that the runtime removes while it is open can still be configured', async () => {
    await using kernel = openKernel();
    await using pod = await makeSandbox();
    const sandbox = await kernel.openSandbox(pod.path);
    if (sandbox.kind === 'unavailable') throw new Error(sandbox.reason);
    await pod.remove();
    await kernel.apply(planned('caligone', '10.8.0.4'), sandbox);
    expect(await kernel.observeInterface(sandbox, 'eth0')).toMatchObject({ name: 'eth0' });
    expect(await deleteNamed(kernel, 'host', 'caligone')).toBe('deleted');
  });

  it('that is closed cannot be used', async () => {
    const { kernel, sandbox } = await sandboxInKernel();
    sandbox[Symbol.dispose]();
    sandbox[Symbol.dispose]();
    await expect(kernel.observeInterface(sandbox, 'eth0')).rejects.toThrow('it is closed (EBADF)');
  });
});

describe('the kernel', () => {
  it('leaves no descriptor open', async () => {
    await using pod = await makeSandbox();
    const before = readdirSync('/proc/self/fd').length;
    for (let round = 0; round < 3; round++) {
      await using kernel = openKernel();
      const sandbox = await kernel.openSandbox(pod.path);
      if (sandbox.kind === 'unavailable') throw new Error(sandbox.reason);
      await kernel.apply(planned('califds', '10.8.0.5'), sandbox);
      await deleteNamed(kernel, 'host', 'califds');
    }
    await new Promise((resolve) => {
      setImmediate(resolve); // a socket closes its descriptor in the next turn of the event loop
    });
    expect(readdirSync('/proc/self/fd')).toHaveLength(before);
  });

  it('can be disposed without having been used', async () => {
    await expect(openKernel()[Symbol.asyncDispose]()).resolves.toBeUndefined();
  });

  it('does not keep the process alive if it is not disposed', () => {
    const program = `
      import { openKernel } from ${JSON.stringify(join(import.meta.dirname, '../../src/kernel/kernel.ts'))};
      const kernel = openKernel();
      await kernel.openSandbox('/proc/self/ns/net');
      await kernel.observeInterface('host', 'lo');`;
    const file = join(import.meta.dirname, '../../node_modules/.bin/vitest'); // packages are resolved from here
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', program, file], {
      timeout: 10_000,
      encoding: 'utf8',
    });
    expect([run.stderr, run.status]).toEqual(['', 0]);
  });

  it('attaches and detaches a hundred pods at once', async () => {
    await using kernel = openKernel();
    const pods = await Promise.all(Array.from({ length: 100 }, () => makeSandbox()));
    const opened = await Promise.all(pods.map(({ path }) => kernel.openSandbox(path)));
    const sandboxes = opened.filter((sandbox) => sandbox.kind === 'sandbox');
    expect(sandboxes).toHaveLength(100);
    await Promise.all(
      sandboxes.map((sandbox, index) => kernel.apply(planned(`calim${index}`, `10.8.1.${index}`), sandbox)),
    );
    const links = await hostNamespace().ip('link', 'show', 'type', 'veth');
    expect(JSON.stringify(links).match(/calim\d+/g)).toEqual(expect.arrayContaining(['calim0', 'calim99']));
    const deleted = await Promise.all(sandboxes.map((sandbox) => deleteNamed(kernel, sandbox, 'eth0')));
    expect(new Set(deleted)).toEqual(new Set(['deleted']));
    await Promise.all(pods.map((pod) => pod.remove()));
  });
});
