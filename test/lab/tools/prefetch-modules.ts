import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { builtToolPath, isExecutable } from './go-build.ts';
import { toolNamed, toolNames } from './tool-table.ts';

const TOOLS_FOLDER = join(import.meta.dirname, '../../tools');

/**
 * Downloads the Go modules of all tools that are not built yet, one module after the other. While the processors are busy with
 * something else, the network is idle. Failures are ignored: a build that lacks a module says so.
 */
export async function prefetchModules(): Promise<void> {
  for (const module of await missingModules()) {
    // This loads exactly the packages that a build compiles. `go mod download` would also fetch what only their tests need.
    const child = spawn('go', ['list', '-deps', 'tool'], {
      cwd: join(TOOLS_FOLDER, module),
      env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly -buildvcs=false', GOWORK: 'off' },
      stdio: 'ignore',
    });
    await once(child, 'close').catch(() => undefined);
  }
}

async function missingModules(): Promise<ReadonlySet<string>> {
  const modules = new Set<string>();
  for (const name of toolNames()) {
    if (!(await isExecutable(await builtToolPath(name)))) modules.add(toolNamed(name).module);
  }
  return modules;
}
