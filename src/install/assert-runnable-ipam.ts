import { statSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { assertOnlyRootCanChange, assertRunnable } from '../delegate/find-delegate.ts';
import type { Layout } from './layout.ts';
import type { RenderedConfig } from './netconf-template.ts';
import { reasonToKeep, type InstallFacts } from './plan-install.ts';

/**
 * Checks what ADD checks before it runs an IPAM plugin. A network configuration that names a plugin which ADD refuses
 * would make the node Ready, but every pod on it fail.
 *
 * @throws {CniError} naming the file or folder, as the node calls it, and what to do
 */
export function assertRunnableIpam(
  { ipamPrograms }: Pick<RenderedConfig, 'ipamPrograms'>,
  facts: Pick<InstallFacts, 'programs' | 'skippedPrograms' | 'updatePrograms' | 'binding'> & {
    readonly layout: Layout;
  },
): void {
  const { here, onNode } = facts.layout;
  const show = (path: string): string =>
    path.startsWith(here.programs) ? `${onNode.programs}${path.slice(here.programs.length)}` : path;
  for (const name of ipamPrograms) {
    assertOnlyRootCanChange(here.programs, show);
    const program = facts.programs.find((known) => known.name === name);
    if (program !== undefined && reasonToKeep(program, facts) === undefined) continue; // it is installed
    const path = join(here.programs, name);
    const stats = statIfVisible(path);
    if (stats !== undefined) assertRunnable(path, stats, show);
  }
}

// The target of a link may be in a folder of the node that is not mounted here.
function statIfVisible(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
