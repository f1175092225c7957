import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Copies plugins into a new folder: podwire runs no plugin that stands below a folder that others can change, and the
 * repository may be below /tmp.
 *
 * @returns the folder
 */
export async function placePlugins(paths: Readonly<Record<string, string>>, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const [name, path] of Object.entries(paths)) await copyFile(path, join(folder, name));
  return folder;
}
