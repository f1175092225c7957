import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** Paths below a root to mode and content. Of a kubeconfig without its token, which is another each time. */
export type NodeFiles = ReadonlyMap<string, string>;

/** All files and folders below a root. */
export async function readNodeFiles(root: string): Promise<NodeFiles> {
  const paths = (await readdir(root, { recursive: true })).toSorted();
  const found = new Map<string, string>();
  for (const path of paths) found.set(path, await describe(join(root, path)));
  return found;
}

/** Whether a file is one that no program takes for what its name says. */
export function isUnfinished(path: string): boolean {
  return /^\.podwire-new-.*\.tmp$/.test(basename(path));
}

async function describe(path: string): Promise<string> {
  const stats = await lstat(path);
  const mode = (stats.mode & 0o7777).toString(8);
  if (stats.isDirectory()) return `folder ${mode}`;
  if (basename(path) === 'podwire-kubeconfig') return `${mode} ${withoutToken(await readFile(path, 'utf8'))}`;
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash);
  return `${mode} ${hash.digest('hex')}`;
}

function withoutToken(text: string): string {
  return text.replace(/"token": "[\w-]+\.[\w-]+\.[\w-]+"/, '"token"');
}
