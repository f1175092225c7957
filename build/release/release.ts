import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeyObject } from 'node:crypto';
import type { Image } from '../image/image.ts';
import { formatChecksums } from './checksums.ts';
import { packChart, packKustomizations } from './folder-archives.ts';
import { releaseManifests } from './manifests.ts';
import { provenanceOf, type Origin } from './provenance.ts';
import type { ReleaseFile } from './release-file.ts';
import { publicKeyPem, signContent, signStatement } from './signature.ts';

/**
 * Makes the files of a release from an image. The checksums contain every file but themselves and their signature; the provenance
 * names every file that was built.
 *
 * @param key signs the provenance and the checksums; without one, nothing is signed
 * @throws {Error} with the output of kustomize
 */
export async function releaseFiles(
  image: Image,
  origin: Origin,
  key: KeyObject | undefined,
): Promise<readonly ReleaseFile[]> {
  const { version, imageName } = origin;
  const name = `podwire-${version}`;
  const { all, single, digest } = image.archives;
  const pinned = { name: imageName, tag: version, digest };
  const built: readonly ReleaseFile[] = [
    ...image.executables.flatMap(({ architecture, content, thirdPartyNotices }) => [
      { name: `${name}-linux-${architecture}`, content, isExecutable: true },
      { name: `${name}-linux-${architecture}.third-party-notices.txt`, content: Buffer.from(thirdPartyNotices) },
    ]),
    { name: `${name}-image.tar`, content: all },
    { name: `${name}-image-amd64.tar`, content: single.amd64 },
    { name: `${name}-image-arm64.tar`, content: single.arm64 },
    { name: `${name}-image.digest.txt`, content: Buffer.from(`${imageName}:${version}@${digest}\n`) },
    { name: `${name}.spdx.json`, content: jsonLines(image.billOfMaterials) },
    ...(await releaseManifests(pinned)),
    await packChart(pinned),
    await packKustomizations(pinned),
  ].toSorted((one, other) => (one.name < other.name ? -1 : 1));
  const provenance = { name: `${name}.provenance.json`, content: jsonLines(provenanceOf(built, origin)) };
  const unsigned = [...built, provenance];
  if (key === undefined) return [...unsigned, checksumsOf(unsigned)];
  const attested = [
    ...unsigned,
    { name: `${name}.provenance.intoto.jsonl`, content: Buffer.from(signStatement(key, provenance.content)) },
    { name: 'release-key.pub', content: Buffer.from(publicKeyPem(key)) },
  ];
  const checksums = checksumsOf(attested);
  return [...attested, checksums, { name: `${checksums.name}.sig`, content: signContent(key, checksums.content) }];
}

/**
 * Writes the files into a new folder.
 *
 * @throws {Error} if the folder exists and is not empty: a file of another version would look like one of this release
 */
export async function writeRelease(folder: string, files: readonly ReleaseFile[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  if ((await readdir(folder)).length > 0) throw new Error(`${folder} is not empty: remove what is in it`);
  for (const { name, content, isExecutable } of files) {
    await writeFile(join(folder, name), content, { mode: isExecutable === true ? 0o755 : 0o644 });
  }
}

function checksumsOf(files: readonly ReleaseFile[]): ReleaseFile {
  return { name: 'SHA256SUMS', content: Buffer.from(formatChecksums(files)) };
}

function jsonLines(value: object): Buffer {
  return Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`);
}
