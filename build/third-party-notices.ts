import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The licences of the packages of which something is in the executable, as these licences ask for.
 *
 * @param inputs files of the bundle, relative to the repository
 * @param whole packages that are in the executable without being bundled
 * @throws {Error} for a package without a licence's text
 */
export async function thirdPartyNotices(
  repository: string,
  inputs: readonly string[],
  whole: readonly string[],
): Promise<string> {
  const names = new Set([...inputs.flatMap((path) => packageOf(path) ?? []), ...whole]);
  const notices = await Promise.all([...names].toSorted().map((name) => noticeOf(repository, name)));
  return notices.join(`\n${'='.repeat(80)}\n\n`);
}

function packageOf(path: string): string | undefined {
  return /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
}

async function noticeOf(repository: string, name: string): Promise<string> {
  const folder = join(repository, 'node_modules', name);
  const file = (await readdir(folder)).toSorted().find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined) throw new Error(`${name} has no licence text in ${folder}`);
  const { version, license } = await readManifest(folder);
  return `${name} ${version} (${license})\n\n${await readFile(join(folder, file), 'utf8')}`;
}

/** The version in a package's package.json. */
export async function packageVersion(folder: string): Promise<string> {
  return (await readManifest(folder)).version;
}

async function readManifest(folder: string): Promise<{ version: string; license: string }> {
  const manifest: unknown = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  return { version: textIn(manifest, 'version'), license: textIn(manifest, 'license') };
}

function textIn(manifest: unknown, key: string): string {
  const value: unknown = typeof manifest === 'object' && manifest !== null ? Reflect.get(manifest, key) : undefined;
  if (typeof value !== 'string') throw new Error(`package.json without ${key}`);
  return value;
}
