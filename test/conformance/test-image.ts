import { createHash } from 'node:crypto';
import { execFile } from 'node:child_process';
import { readFile, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { tarArchive, type TarEntry } from '../../build/image/tar-archive.ts';
import { unpackedPackageFolder } from '../lab/tools/debian-package.ts';

const run = promisify(execFile);
const LIBRARIES = 'lib/podwire-test';
const BUSYBOX = '/bin/busybox';

/**
 * A `docker save` archive of the image that the specs run: agnhost, and the programs that they call beside it. The shell is dash, because
 * busybox's prefers its own `nc`, which has no UDP.
 *
 * @param names of the image, as the specs know it
 */
export async function testImage(agnhostPath: string, names: readonly string[]): Promise<Buffer> {
  const programs: readonly (readonly [string, string, string?])[] = [
    ['bin/dash', '/bin/dash'],
    ['usr/bin/curl', '/usr/bin/curl'],
    ['usr/bin/getent', '/usr/bin/getent'],
    [
      'usr/bin/nc',
      join(unpackedPackageFolder('netcat-openbsd'), 'bin/nc.openbsd'),
      unpackedPackageFolder('netcat-openbsd'),
    ],
    [
      'usr/bin/dig',
      join(unpackedPackageFolder('bind9-dnsutils'), 'usr/bin/dig'),
      unpackedPackageFolder('bind9-dnsutils'),
    ],
  ];
  const { stdout } = await run(BUSYBOX, ['--list']);
  const applets = stdout.split('\n').filter((name) => !['', 'busybox', 'sh', 'ash', 'nc'].includes(name));
  const layer = tarArchive(
    uniquePaths([
      { path: 'agnhost', content: await readFile(agnhostPath), mode: 0o755 },
      { path: 'bin/busybox', content: await readFile(BUSYBOX), mode: 0o755 },
      { path: 'bin/sh', linkTarget: 'dash' },
      { path: 'bin/bash', linkTarget: 'dash' },
      ...(await Promise.all(programs.map(([path, from, root]) => program(path, from, root)))).flat(),
      ...applets.map((name): TarEntry => ({ path: `bin/${name}`, linkTarget: 'busybox' })),
      { path: 'results/.keep', content: Buffer.alloc(0), mode: 0o644 },
    ]),
  );
  const imageConfig = (command: readonly string[]) => ({
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: {
      Entrypoint: ['/agnhost'],
      Cmd: command,
      Env: ['PATH=/usr/bin:/bin:/', `LD_LIBRARY_PATH=/${LIBRARIES}`],
      WorkingDir: '/',
    },
    rootfs: { type: 'layers', diff_ids: [`sha256:${createHash('sha256').update(layer).digest('hex')}`] },
  });
  // The specs only need some web server where they use nginx.
  const isWebServer = (name: string) => name.includes('/nginx:');
  const images = [
    { Config: 'agnhost.json', RepoTags: names.filter((name) => !isWebServer(name)), command: ['pause'] },
    { Config: 'nginx.json', RepoTags: names.filter(isWebServer), command: ['netexec', '--http-port=80'] },
  ];
  const manifest = images.map(({ Config, RepoTags }) => ({ Config, RepoTags, Layers: ['layer.tar'] }));
  const json = (path: string, value: unknown): TarEntry => ({
    path,
    content: Buffer.from(JSON.stringify(value)),
    mode: 0o644,
  });
  return tarArchive([
    { path: 'layer.tar', content: layer, mode: 0o644 },
    ...images.map(({ Config, command }) => json(Config, imageConfig(command))),
    json('manifest.json', manifest),
  ]);
}

/** A program with its loader, where the program looks for it, and its libraries. */
async function program(path: string, from: string, root = ''): Promise<readonly TarEntry[]> {
  const folders = [
    'usr/lib/x86_64-linux-gnu',
    'lib/x86_64-linux-gnu',
    'usr/lib/aarch64-linux-gnu',
    'lib/aarch64-linux-gnu',
  ];
  const LD_LIBRARY_PATH = root === '' ? '' : folders.map((folder) => join(root, folder)).join(':');
  const { stdout } = await run('ldd', [from], { env: { ...process.env, LD_LIBRARY_PATH } });
  const libraries = [...stdout.matchAll(/^\s*(?:(\S+) => )?(\/\S+) \(/gm)].map(([, name, file = '']) => ({
    name,
    file,
  }));
  return [
    { path, content: await readFile(await realpath(from)), mode: 0o755 },
    ...(await Promise.all(
      libraries.map(async ({ name, file }): Promise<TarEntry> => {
        const target = name === undefined ? file.slice(1) : `${LIBRARIES}/${basename(name)}`;
        return { path: target, content: await readFile(await realpath(file)), mode: 0o755 };
      }),
    )),
  ];
}

function uniquePaths(entries: readonly TarEntry[]): readonly TarEntry[] {
  return [...new Map(entries.map((entry) => [entry.path, entry])).values()];
}
