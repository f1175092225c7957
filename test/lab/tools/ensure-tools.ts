import { goBuild } from './go-build.ts';
import { installedTool } from './installed-tool.ts';
import type { OnToolProgress } from './tool-progress.ts';
import type { ToolName } from './tool-table.ts';

/**
 * Finds the real programs of these names: installed copies, otherwise builds of pinned Go modules. A build needs a
 * network, so call this before entering a private network namespace.
 *
 * @returns the absolute path of each
 * @throws {Error} saying what to run, if Go is missing or a module cannot be downloaded
 */
export async function ensureTools<Name extends ToolName>(
  names: readonly Name[],
  onProgress: OnToolProgress = () => {},
): Promise<Record<Name, string>> {
  const paths: Partial<Record<Name, string>> = {};
  // One after the other, because go build already uses all cores, and a later build reuses what an earlier one has
  // compiled.
  for (const name of names) paths[name] = await ensureTool(name, onProgress);
  return complete(paths, names);
}

async function ensureTool(name: ToolName, onProgress: OnToolProgress): Promise<string> {
  const installed = await installedTool(name);
  if (installed === undefined) return goBuild(name, onProgress);
  onProgress({ tool: name, stage: 'found', elapsedSeconds: 0, detail: installed });
  return installed;
}

function complete<Name extends ToolName>(
  paths: Partial<Record<Name, string>>,
  names: readonly Name[],
): Record<Name, string> {
  const isComplete = (value: Partial<Record<Name, string>>): value is Record<Name, string> =>
    names.every((name) => value[name] !== undefined);
  if (!isComplete(paths)) throw new Error(`not all of ${names.join(', ')} were built`);
  return paths;
}
