import { existsSync, readdirSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ownIdentity } from '../../src/system/process-identity.ts';
import { acquireSlot } from '../../src/system/slot.ts';
import { makeFolder } from '../log/make-folder.ts';

const { pid, startTicks } = ownIdentity();
const never = (): never => {
  throw new Error('there is no need to wait here');
};

describe('a slot', () => {
  it('is acquired at once if one is free, and names its holder', () => {
    using parent = makeFolder();
    const folder = join(parent.path, 'turns');
    using _slot = acquireSlot({ folder, slotCount: 2, pause: never });
    const [slot = ''] = readdirSync(folder);
    expect(readlinkSync(join(folder, slot))).toBe(`${pid} ${startTicks}`);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it('leaves nothing when it is released', () => {
    using folder = makeFolder();
    acquireSlot({ folder: folder.path, slotCount: 2, pause: never })[Symbol.dispose]();
    expect(readdirSync(folder.path)).toEqual([]);
  });

  it('is waited for if all are taken, for longer each time, until one is released', () => {
    using folder = makeFolder();
    const held = [1, 2].map(() => acquireSlot({ folder: folder.path, slotCount: 2, pause: never }));
    const pauses: number[] = [];
    const pause = (pauseMs: number) => void (pauses.push(pauseMs) === 12 && held[1]?.[Symbol.dispose]());
    using _slot = acquireSlot({ folder: folder.path, slotCount: 2, pause });
    expect(pauses).toHaveLength(12);
    expect(pauses).toEqual(pauses.toSorted((a, b) => a - b));
    expect(pauses.at(-1)).toBe(150);
    held[0]?.[Symbol.dispose]();
  });

  it('is acquired from a process that was killed', () => {
    using folder = makeFolder();
    symlinkSync(`${pid} ${startTicks}1`, join(folder.path, '0'));
    const pauses: number[] = [];
    using _slot = acquireSlot({ folder: folder.path, slotCount: 1, pause: (pauseMs) => void pauses.push(pauseMs) });
    expect(pauses.length).toBeLessThan(4);
    expect(readlinkSync(join(folder.path, '0'))).toBe(`${pid} ${startTicks}`);
  });

  it('is released once, so that the slot of another process is kept', () => {
    using folder = makeFolder();
    const first = acquireSlot({ folder: folder.path, slotCount: 1, pause: never });
    first[Symbol.dispose]();
    using _second = acquireSlot({ folder: folder.path, slotCount: 1, pause: never });
    first[Symbol.dispose]();
    expect(existsSync(folder.path) && readdirSync(folder.path)).toEqual(['0']);
  });

  it('is never an error: a command does not wait where no slot can be created', () => {
    using parent = makeFolder();
    writeFileSync(join(parent.path, 'file'), '');
    for (const folder of [join(parent.path, 'file'), '/proc/turns']) {
      expect(() => acquireSlot({ folder, slotCount: 1, pause: never })[Symbol.dispose]()).not.toThrow();
    }
  });
});
