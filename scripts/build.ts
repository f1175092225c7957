// npm run build: makes dist/podwire for this machine's architecture and, on x64, dist/podwire-arm64 too.
// It needs a network for one thing: the packages for arm64, unless dist/ has them already.
import { join, resolve } from 'node:path';
import { thisArchitecture, type Architecture } from '../build/architecture.ts';
import { buildPodwire } from '../build/podwire.ts';
import { runScript, UsageError } from './command-line/run-script.ts';

const USAGE = `usage: npm run build -- [options]

Builds the executable for this machine's architecture and, on x64, for arm64 too.
  --arch x64|arm64  build for this architecture only
  --output PATH     write the executable there (dist/podwire), and build for one architecture only
  --entry PATH      the program's main module (src/main.ts)
  --rehearsed       fail if no ADD can be run for the code cache, instead of making a cache that is slower
`;

const REPOSITORY = join(import.meta.dirname, '..');

await runScript(
  {
    name: 'build',
    usage: USAGE,
    options: {
      arch: { type: 'string' },
      entry: { type: 'string', default: 'src/main.ts' },
      output: { type: 'string' },
      rehearsed: { type: 'boolean', default: false },
    },
  },
  async ({ values: { arch, entry, output, rehearsed } }) => {
    for (const architecture of selectArchitectures(arch, output)) {
      await buildPodwire({
        architecture,
        entryPath: resolve(REPOSITORY, entry),
        outputPath: resolve(REPOSITORY, output ?? defaultOutput(architecture)),
        ifUnrehearsed: rehearsed ? 'fail' : 'make-cold-cache',
        onStep: (name, outcome, elapsedSeconds) =>
          process.stderr.write(`build: ${architecture} ${name}, ${elapsedSeconds.toFixed(1)} s: ${outcome}\n`),
      });
    }
  },
);

function selectArchitectures(arch: string | undefined, output: string | undefined): readonly Architecture[] {
  if (arch === 'x64' || arch === 'arm64') return [arch];
  if (arch !== undefined) throw new UsageError(`--arch expects x64 or arm64, got ${JSON.stringify(arch)}`);
  return output === undefined && thisArchitecture() === 'x64' ? ['x64', 'arm64'] : [thisArchitecture()];
}

function defaultOutput(architecture: Architecture): string {
  return architecture === thisArchitecture() ? 'dist/podwire' : `dist/podwire-${architecture}`;
}
