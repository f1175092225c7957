import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isJsonObject, type JsonObject } from '../../../src/json/json.ts';

const run = promisify(execFile);

/** An image archive that is read independently of the code that made it, with tar(1). */
export interface UnpackedImage {
  readonly index: JsonObject;
  /** Blobs by the digest in their names, with the digest of their contents. */
  readonly blobs: ReadonlyMap<string, { readonly sizeBytes: number; readonly digest: string }>;
  readonly readJson: (digest: string) => Promise<JsonObject>;
  /** Unpacks the layers of a manifest. */
  readonly unpackRoot: (manifestDigest: string, root: string) => Promise<void>;
  /** tar's listing of the layers of a manifest, one line for each entry. */
  readonly listRoot: (manifestDigest: string) => Promise<readonly string[]>;
}

/** A reference from one part of an image to another. */
export interface Descriptor {
  readonly digest: string;
  readonly sizeBytes: number;
  readonly mediaType: string;
  readonly platform: string;
}

export async function unpackImage(archivePath: string, folder: string): Promise<UnpackedImage> {
  await mkdir(folder, { recursive: true });
  await run('tar', ['-xf', archivePath, '-C', folder]);
  const pathOf = (digest: string) => join(folder, 'blobs', digest.replace(':', '/'));
  const names = await readdir(join(folder, 'blobs/sha256'));
  const blobs = names.map(async (name) => {
    const content = await readFile(join(folder, 'blobs/sha256', name));
    const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
    return [`sha256:${name}`, { sizeBytes: content.length, digest }] as const;
  });
  const readJson = async (digest: string) => parseObject(await readFile(pathOf(digest), 'utf8'));
  const layersOf = async (digest: string) => descriptors((await readJson(digest))['layers']).map((one) => one.digest);
  return {
    index: parseObject(await readFile(join(folder, 'index.json'), 'utf8')),
    blobs: new Map(await Promise.all(blobs)),
    readJson,
    async unpackRoot(manifestDigest, root) {
      await mkdir(root, { recursive: true });
      for (const layer of await layersOf(manifestDigest)) await run('tar', ['-xzf', pathOf(layer), '-C', root]);
    },
    async listRoot(manifestDigest) {
      const lines: string[] = [];
      for (const layer of await layersOf(manifestDigest)) {
        const { stdout } = await run('tar', ['--numeric-owner', '--full-time', '--utc', '-tvzf', pathOf(layer)]);
        lines.push(...stdout.trimEnd().split('\n'));
      }
      return lines.map((line) => line.replaceAll(/ +/g, ' '));
    },
  };
}

/** Parses a list of descriptors. */
export function descriptors(list: unknown): readonly Descriptor[] {
  const objects = Array.isArray(list) ? list.filter(isJsonObject) : [];
  return objects.map((object) => {
    const platform = isJsonObject(object['platform']) ? object['platform'] : {};
    return {
      digest: textOf(object['digest']),
      sizeBytes: Number(object['size']),
      mediaType: textOf(object['mediaType']),
      platform: `${textOf(platform['os'])}/${textOf(platform['architecture'])}`,
    };
  });
}

/** Computes the digest and the size of an unpacked layer. */
export async function unpackedDigest(folder: string, digest: string): Promise<{ digest: string; sizeBytes: number }> {
  const options = { maxBuffer: 256 * 1024 * 1024, encoding: 'buffer' } as const;
  const { stdout } = await run('gzip', ['-dc', join(folder, 'blobs', digest.replace(':', '/'))], options);
  return { digest: `sha256:${createHash('sha256').update(stdout).digest('hex')}`, sizeBytes: stdout.length };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function parseObject(text: string): JsonObject {
  const value: unknown = JSON.parse(text);
  if (!isJsonObject(value)) throw new Error('not a JSON object');
  return value;
}
