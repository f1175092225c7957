import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageManifest } from '../third-party-notices.ts';
import type { Component } from './bill-of-materials.ts';

/**
 * Reads npm packages, with their checksums from the lockfile that they were installed from.
 *
 * @param folders of the packages, each in a `node_modules` next to its lockfile
 * @throws {Error} for a package that is not in its lockfile
 */
export async function npmComponents(folders: readonly string[]): Promise<readonly Component[]> {
  const components = await Promise.all([...new Set(folders)].map(npmComponent));
  // The package has the same version as the Node in it. Scanners only know Node by its own name.
  const node = components.find(({ name }) => name.startsWith('node-linux-'));
  if (node === undefined) return components;
  return [...components, { ...node, name: 'node', url: `pkg:generic/node@${node.version}` }];
}

async function npmComponent(folder: string): Promise<Component> {
  const { name, version, license } = await packageManifest(folder);
  const lockfile = join(folder.slice(0, folder.lastIndexOf('/node_modules/')), 'package-lock.json');
  const url = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  const hex = integrityOf(JSON.parse(await readFile(lockfile, 'utf8')), `node_modules/${name}`);
  return { name, version, url, license, checksum: { algorithm: 'SHA512', hex } };
}

function integrityOf(lockfile: unknown, path: string): string {
  const integrity = ['packages', path, 'integrity'].reduce(memberOf, lockfile);
  const [, base64] = /^sha512-(.+)$/.exec(typeof integrity === 'string' ? integrity : '') ?? [];
  if (base64 === undefined) throw new Error(`${path} has no sha512 checksum in its lockfile`);
  return Buffer.from(base64, 'base64').toString('hex');
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
