import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { thisArchitecture } from '../../../build/architecture.ts';
import { bundleProgram } from '../../../build/bundle.ts';
import { makeExecutable } from '../../../build/executable.ts';
import { stripElf } from '../../../build/strip-elf.ts';

/**
 * Makes the executable of program.ts in the same way as podwire's: from the same stripped Node, with the same options.
 *
 * @param workFolder for the executable and its parts
 * @returns its path
 */
export async function buildBare(workFolder: string): Promise<string> {
  const architecture = thisArchitecture();
  const inWork = (name: string) => join(workFolder, name);
  const node = join(import.meta.dirname, `../../../node_modules/node-linux-${architecture}/bin/node`);
  await writeFile(inWork('node'), stripElf(await readFile(node)), { mode: 0o755 });
  await bundleProgram({ entryPath: join(import.meta.dirname, 'program.ts'), outputPath: inWork('bare.cjs') });
  await makeExecutable({
    nodePath: inWork('node'),
    architecture,
    bootstrapPath: inWork('bare.cjs'),
    assets: {},
    outputPath: inWork('bare'),
    generatorPath: node,
  });
  return inWork('bare');
}
