import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { clearFolder } from './clear-folder.ts';

const run = (program: string, ...args: readonly string[]) => execFileSync(program, args);
const mountOver = (folder: string) => run('mount', '-t', 'tmpfs', 'podwire-test', folder);

describe('clearing a folder', () => {
  it('a plain file that a crash has left in /run/netns is removed beside a namespace', async () => {
    mkdirSync('/run/netns', { recursive: true });
    for (const name of ['stale', 'a namespace']) writeFileSync(join('/run/netns', name), '');
    run('unshare', '--net=/run/netns/a namespace', 'true');
    await clearFolder('/run/netns');
    expect(existsSync('/run/netns')).toBe(false);
  });

  it('a folder that is a mount itself, with mounts in mounts, is removed', async () => {
    const folder = makeFolder();
    for (const path of ['', 'outer', 'outer/inner'].map((name) => join(folder, name))) {
      mkdirSync(path, { recursive: true });
      mountOver(path);
    }
    await clearFolder(folder);
    expect(existsSync(folder)).toBe(false);
  });

  it('a mount that another one hides stays: it has the path of what is cleared, and is not ours', async () => {
    const folder = makeFolder();
    const netns = join(folder, 'netns');
    mkdirSync(netns);
    mountOver(netns);
    writeFileSync(join(netns, 'of-the-machine'), '');
    mountOver(folder); // as the private /run lies over that of the machine
    mkdirSync(netns);
    writeFileSync(join(netns, 'stale'), '');
    await clearFolder(netns);
    expect(existsSync(netns)).toBe(false);
    run('umount', folder);
    expect(readdirSync(netns)).toEqual(['of-the-machine']);
    run('umount', netns);
  });

  it('a folder that is not there is cleared', async () => {
    await expect(clearFolder('/run/no-such-folder')).resolves.toBeUndefined();
  });
});

function makeFolder(): string {
  const folder = mkdtempSync('/run/podwire-mounts-');
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
