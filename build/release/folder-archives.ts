import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { tarArchive } from '../image/tar-archive.ts';
import { replaceOnce } from './replace-once.ts';
import type { ReleaseFile, ReleaseImage } from './release-file.ts';

const CNI_CONF = join(import.meta.dirname, '../../cni-conf');
/** What has its own archive, or is applied as one file. */
const NOT_FOR_KUSTOMIZE = /^(chart|rendered)\//;

/** Packs the Helm chart as `helm package` does, but with the same bytes each time. It installs the image by its digest. */
export async function packChart(image: ReleaseImage): Promise<ReleaseFile> {
  const files = await readFolder(join(CNI_CONF, 'chart'));
  const changed = files.map(({ path, text }) => ({
    path: `podwire/${path}`,
    text: path === 'values.yaml' ? pinInValues(text, image) : text,
  }));
  return { name: `podwire-${image.tag}.tgz`, content: pack(changed) };
}

/** Packs the folders of cni-conf for a user's own kustomization, with the image pinned by its digest. */
export async function packKustomizations(image: ReleaseImage): Promise<ReleaseFile> {
  const name = `podwire-${image.tag}-kustomize`;
  const files = (await readFolder(CNI_CONF)).filter(({ path }) => !NOT_FOR_KUSTOMIZE.test(path));
  const changed = files.map(({ path, text }) => ({
    path: `${name}/${path}`,
    text: path.endsWith('kustomization.yaml') ? pinInKustomization(text, image) : text,
  }));
  return { name: `${name}.tar.gz`, content: pack(changed) };
}

function pinInValues(text: string, { name, digest }: ReleaseImage): string {
  const named = replaceOnce(text, '\n  repository: localhost/podwire\n', `\n  repository: ${name}\n`);
  return replaceOnce(named, "\n  digest: ''\n", `\n  digest: ${digest}\n`);
}

/** Names and pins the image where a kustomization names it. Others stay as they are. */
function pinInKustomization(text: string, { name, tag, digest }: ReleaseImage): string {
  const before = `\n    newName: localhost/podwire\n    newTag: ${tag}\n`;
  if (!text.includes('localhost/podwire')) return text;
  return replaceOnce(text, before, `\n    newName: ${name}\n    newTag: ${tag}\n    digest: ${digest}\n`);
}

async function readFolder(folder: string): Promise<readonly { readonly path: string; readonly text: string }[]> {
  const entries = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  return Promise.all(
    entries.map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      return { path: relative(folder, path), text: await readFile(path, 'utf8') };
    }),
  );
}

function pack(files: readonly { readonly path: string; readonly text: string }[]): Buffer {
  const entries = files.map(({ path, text }) => ({ path, content: Buffer.from(text), mode: 0o644 }));
  return gzipSync(tarArchive(entries), { level: 9 });
}
