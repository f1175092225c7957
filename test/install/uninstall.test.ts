import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runUninstall } from '../../src/install/uninstall.ts';
import { openLibcLoader } from '../../src/system/libc.ts';
import { makeFolder } from './make-folder.ts';

async function uninstall(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<{ status: number; text: string }> {
  let text = '';
  const libc = openLibcLoader();
  const signal = new AbortController().signal;
  const writeStderr = (line: string) => void (text += line);
  const status = await runUninstall({ args, environment, executablePath: '/nowhere', signal, writeStderr, libc });
  return { status, text };
}

it('configurations with podwire are removed, whatever their names are; other files are kept', async () => {
  using folder = makeFolder();
  const configs = join(folder.path, 'etc/cni/net.d');
  for (const path of [configs, join(folder.path, 'opt/cni/bin')]) mkdirSync(path, { recursive: true });
  const write = (name: string, text: string) => writeFileSync(join(configs, name), text);
  write('00-a.conflist', '{"plugins":[{"type":"podwire"},{"type":"portmap"}]}');
  write('01-b.conf', '{"type":"podwire"}');
  write('02-c.conflist', '{"plugins":[{"type":"calico"}]}');
  write('03-d.conflist', 'broken: podwire');
  write('podwire.txt', '{"type":"podwire"}');
  const { status, text } = await uninstall(['--root', folder.path]);
  expect({ status, text }).toEqual({ status: 0, text: expect.any(String) });
  expect(readdirSync(configs).toSorted()).toEqual(['02-c.conflist', '03-d.conflist', 'podwire.txt']);
});

it('of a node without podwire says so', async () => {
  using folder = makeFolder();
  for (const path of ['etc/cni/net.d', 'opt/cni/bin']) mkdirSync(join(folder.path, path), { recursive: true });
  expect(await uninstall(['--root', folder.path])).toEqual({
    status: 0,
    text: expect.stringContaining('podwire is not on this node'),
  });
});

it.each([
  [['--all'], 'podwire uninstall accepts'],
  [['--root'], '--root of podwire uninstall needs an absolute folder, got nothing'],
  [['--root', 'relative'], '--root of podwire uninstall needs an absolute folder, got "relative"'],
])('%j is an error', async (args, words) =>
  expect(await uninstall(args)).toMatchObject({ status: 1, text: expect.stringContaining(words) }),
);

it.each(['CNI_BIN_DIR', 'CNI_NET_DIR'])(
  '%s that is not an absolute path is an error, as in the installer',
  async (name) => {
    const { status, text } = await uninstall(['--root', '/nowhere'], { [name]: 'relative' });
    expect({ status, text }).toEqual({ status: 1, text: expect.stringContaining(name) });
    expect(text).toContain('an absolute path');
  },
);
