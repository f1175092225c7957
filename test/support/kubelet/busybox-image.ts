import { createHash } from 'node:crypto';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { tarArchive, type TarEntry } from '../../../build/image/tar-archive.ts';

/** What a test's containers run in, as an image without a registry: busybox and a link for each of its applets. */
export const BUSYBOX_IMAGE = 'localhost/busybox:test';
/** Holds a sandbox open. */
export const PAUSE_IMAGE = 'localhost/pause:test';

const BUSYBOX = '/bin/busybox';
const WHENCE = `#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n%s\\n' "$REMOTE_ADDR"
`;

/** A `docker save` archive of both images. */
export async function busyboxArchive(): Promise<Buffer> {
  const { stdout } = await promisify(execFile)(BUSYBOX, ['--list']);
  const applets = stdout.split('\n').filter((name) => name !== '' && name !== 'busybox');
  const layer = tarArchive([
    { path: 'bin/busybox', content: await readFile(BUSYBOX), mode: 0o755 },
    ...applets.map((name): TarEntry => ({ path: `bin/${name}`, linkTarget: 'busybox' })),
    { path: 'www/index.html', content: Buffer.from('hello\n'), mode: 0o644 },
    { path: 'www/cgi-bin/whence', content: Buffer.from(WHENCE), mode: 0o755 },
  ]);
  const images = [
    { tag: BUSYBOX_IMAGE, config: 'busybox.json', command: ['/bin/sh'] },
    { tag: PAUSE_IMAGE, config: 'pause.json', command: ['/bin/tail', '-f', '/dev/null'] },
  ];
  return tarArchive([
    { path: 'layer.tar', content: layer, mode: 0o644 },
    ...images.map(({ config, command }) => json(config, imageConfig(layer, command))),
    json(
      'manifest.json',
      images.map(({ tag, config }) => ({ Config: config, RepoTags: [tag], Layers: ['layer.tar'] })),
    ),
  ]);
}

function imageConfig(layer: Buffer, command: readonly string[]): object {
  return {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Entrypoint: command, Env: ['PATH=/bin'] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${createHash('sha256').update(layer).digest('hex')}`] },
  };
}

function json(path: string, value: unknown): TarEntry {
  return { path, content: Buffer.from(JSON.stringify(value)), mode: 0o644 };
}
