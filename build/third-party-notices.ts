import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Returns the folders of the packages that a bundle contains files of.
 *
 * @param inputs the files of the bundle, relative to the repository
 */
export function bundledPackages(repository: string, inputs: readonly string[]): readonly string[] {
  const names = new Set(inputs.flatMap((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []));
  return [...names].toSorted().map((name) => join(repository, 'node_modules', name));
}

/**
 * Collects the license texts of packages, which most licenses require.
 *
 * @param folders of the packages
 * @throws {Error} for a package without a license text
 */
export async function thirdPartyNotices(folders: readonly string[]): Promise<string> {
  const notices = await Promise.all([...new Set(folders)].toSorted().map(noticeOf));
  return notices.join(`\n${'='.repeat(80)}\n\n`);
}

async function noticeOf(folder: string): Promise<string> {
  const file = (await readdir(folder)).toSorted().find((entry) => /^licen[cs]e/i.test(entry));
  const { name, version, license } = await packageManifest(folder);
  if (file === undefined) throw new Error(`${name} has no license text in ${folder}`);
  return `${name} ${version} (${license})\n\n${await readFile(join(folder, file), 'utf8')}`;
}

/** Reads the version from a package's package.json. */
export async function packageVersion(folder: string): Promise<string> {
  return (await packageManifest(folder)).version;
}

/** Reads the parts of a package's package.json that name it. */
export async function packageManifest(folder: string): Promise<{ name: string; version: string; license: string }> {
  const manifest: unknown = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  return {
    name: textIn(manifest, 'name'),
    version: textIn(manifest, 'version'),
    license: textIn(manifest, 'license'),
  };
}

function textIn(manifest: unknown, key: string): string {
  const value: unknown = typeof manifest === 'object' && manifest !== null ? Reflect.get(manifest, key) : undefined;
  if (typeof value !== 'string') throw new Error(`package.json has no ${key}`);
  return value;
}
