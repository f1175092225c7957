import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/json/json.ts';
import { makeSandbox, type Sandbox } from '../../lab/namespaces/network-namespace.ts';
import type { LoopbackNode } from '../../support/nodes/loopback-node.ts';
import type { NodeState } from '../../support/nodes/node-state.ts';
import { startFresh } from '../../support/suite/hooks.ts';

let node: LoopbackNode;
let sandbox: Sandbox;
let before: NodeState;
startFresh((fresh) => ({ node, sandbox, before } = fresh));

/** Runs these commands in a separate mount namespace before the executable. */
const after = (commands: string): readonly string[] => ['unshare', '--mount', 'sh', '-ec', `${commands}; exec "$0"`];

async function attachesAndDetaches(within: readonly string[], overrides: JsonObject = {}): Promise<readonly string[]> {
  const call = { sandboxPath: sandbox.path, within, config: node.netconf(overrides) };
  const added = await node.run({ verb: 'ADD', ...call });
  expect(added).toMatchObject({ exitCode: 0 });
  expect(await node.leases()).toHaveLength(2);
  const deleted = await node.run({ verb: 'DEL', ...call });
  expect(deleted).toMatchObject({ exitCode: 0, stdout: '' });
  expect(await sandbox.ip('link', 'show')).toHaveLength(1);
  expect(await node.state()).toEqual(before);
  return [added.stderr, deleted.stderr];
}

async function unpackAddons(): Promise<void> {
  await using first = await makeSandbox();
  for (const verb of ['ADD', 'DEL'])
    expect(await node.run({ verb, sandboxPath: first.path })).toMatchObject({ exitCode: 0 });
}

const lines = (text: string) => text.split('\n').filter((line) => line !== '');

describe('ADD and DEL continue, with at most one warning each', () => {
  beforeEach(() => unpackAddons());
  const goesOn = (why: string, commands: string, overrides: JsonObject = {}) =>
    it(why, async () => {
      for (const stderr of await attachesAndDetaches(after(commands), overrides)) {
        expect(lines(stderr).length).toBeLessThanOrEqual(1);
        expect(stderr).toMatch(/^$| WARNING /);
      }
    });
  goesOn('when /var/lib is read-only', 'mount -o remount,bind,ro /var/lib');
  const fill = 'dd if=/dev/zero of=/var/lib/filling bs=64k 2>/dev/null || true';
  const full = `cp -a /var/lib/podwire unpacked; mount -t tmpfs -o mode=0755,size=32m none /var/lib; mv unpacked /var/lib/podwire; ${fill}`;
  goesOn('when /var/lib is full', full);
});

describe('a log file that cannot be written is one warning, and ADD and DEL continue', () => {
  const goesOn = (why: string, prepare: () => string) =>
    it(why, async () => {
      const overrides = { log_file_path: prepare(), log_level: 'debug' };
      for (const stderr of await attachesAndDetaches([], overrides)) {
        expect(lines(stderr).filter((line) => line.includes(' WARNING '))).toHaveLength(1);
        expect(stderr).toMatch(/WARNING cannot write the log file .*; logging to standard error only/);
      }
    });
  goesOn('a folder', () => node.folder);
  goesOn('below a file', () => {
    writeFileSync(join(node.folder, 'plain'), '');
    return join(node.folder, 'plain/log');
  });
  goesOn('a full device', () => '/dev/full');
  goesOn('in a folder that forbids it', () => '/proc/self/podwire.log');
  goesOn('of a name too long', () => `/${'a'.repeat(300)}`);
});

describe('the limits of a process', () => {
  it.each([64, 32])('%i open files are enough', async (count) => {
    await expect(attachesAndDetaches(after(`ulimit -n ${count}`))).resolves.toHaveLength(2);
  });

  it.each([28, 24, 16, 8])(
    '%i open files: it is done, or ends clearly, and the next DEL leaves nothing',
    async (count) => {
      const within = after(`ulimit -n ${count}`);
      const { answer } = await node.run({ verb: 'ADD', sandboxPath: sandbox.path, within });
      // The undo may lack the same resource as the ADD. Then the record stays for the next DEL.
      expect(await node.run({ verb: 'DEL', sandboxPath: sandbox.path })).toMatchObject({ exitCode: 0, stdout: '' });
      expect(answer?.['code']).not.toBe(999);
      expect(await sandbox.ip('link', 'show')).toHaveLength(1);
      expect(await node.state()).toEqual(before);
    },
  );

  // Node.js itself needs about 20 before the program starts, and says so on stderr.
  const NODE_NEEDS = 20;
  it('any number of open files from 3 to 64 is enough, or the error is clear, and the next DEL leaves nothing', async () => {
    for (let count = 3; count <= 64; count++) {
      const within = after(`ulimit -n ${count}`);
      const { exitCode, answer, stderr } = await node.run({ verb: 'ADD', sandboxPath: sandbox.path, within });
      const found = `${count}: exit ${exitCode}, ${JSON.stringify(answer)}, ${stderr}`;
      if (exitCode !== 0 && (count > NODE_NEEDS || answer !== undefined)) {
        expect(found).toMatch(/too many open files|EMFILE/i);
        expect({ exitCode, code: answer?.['code'], found }).toEqual({
          exitCode: 1,
          code: expect.toSatisfy((code) => typeof code === 'number' && code !== 8 && code !== 999),
          found,
        });
      }
      const deleted = await node.run({ verb: 'DEL', sandboxPath: sandbox.path });
      expect({ found, exitCode: deleted.exitCode, state: await node.state() }).toEqual({
        found,
        exitCode: 0,
        state: before,
      });
    }
  }, 120_000);

  it('a missing /var/lib/podwire that cannot be created is an error that says so', async () => {
    mkdirSync('/var/lib/podwire', { recursive: true });
    const within = after('mount -t tmpfs -o ro none /var/lib/podwire');
    const { exitCode, answer } = await node.run({ verb: 'ADD', sandboxPath: sandbox.path, within });
    expect(exitCode).toBe(1);
    expect(answer?.['code']).not.toBe(999);
    expect(answer?.['msg']).toMatch(/\/var\/lib\/podwire: its file system is read-only; run "podwire install" .*EROFS/);
    expect(await node.state()).toEqual(before);
  });
});
