// Builds the executable: dist/podwire for this machine's architecture and, on x64, dist/podwire-arm64 too.
//   node scripts/build.ts [--rehearsed] [--arch x64|arm64] [--entry src/main.ts] [--output dist/podwire]
// --rehearsed: fail where no ADD can be rehearsed for the code cache, rather than make one that is slower.
// --arch: only this one. --output: there, and only this machine's unless --arch names another.
// Needs a network for one thing: the packages for arm64, on an x64 machine that does not have them yet.
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { thisArchitecture, type Architecture } from '../build/architecture.ts';
import { buildPodwire } from '../build/podwire.ts';

const REPOSITORY = join(import.meta.dirname, '..');

const { values: options } = parseArgs({
  options: {
    arch: { type: 'string' },
    entry: { type: 'string', default: 'src/main.ts' },
    output: { type: 'string' },
    rehearsed: { type: 'boolean', default: false },
  },
});
for (const architecture of wantedArchitectures()) {
  await buildPodwire({
    architecture,
    entryPath: resolve(REPOSITORY, options.entry),
    outputPath: resolve(REPOSITORY, options.output ?? defaultOutput(architecture)),
    unrehearsed: options.rehearsed ? 'fail' : 'cold',
    onStep: (name, outcome, elapsedSeconds) =>
      process.stderr.write(`build: ${architecture} ${name}, ${elapsedSeconds.toFixed(1)} s: ${outcome}\n`),
  });
}

function wantedArchitectures(): readonly Architecture[] {
  const { arch, output } = options;
  if (arch === 'x64' || arch === 'arm64') return [arch];
  if (arch !== undefined) throw new Error(`--arch ${arch}: there are x64 and arm64`);
  return output === undefined && thisArchitecture() === 'x64' ? ['x64', 'arm64'] : [thisArchitecture()];
}

function defaultOutput(architecture: Architecture): string {
  return architecture === thisArchitecture() ? 'dist/podwire' : `dist/podwire-${architecture}`;
}
