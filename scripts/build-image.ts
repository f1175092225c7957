// Builds the OCI image for x64 and arm64 into one file, without a registry, a daemon or root; on an x64 machine, with apt and Go:
//   node scripts/build-image.ts [--rehearsed] [--output dist/podwire-image.tar] [--name localhost/podwire] [--packages FOLDER]
// and beside it the bill of materials: dist/podwire.sbom.json.
// --packages: the Debian packages that have the libraries are put there, and taken from there if it exists.
// --rehearsed: as with scripts/build.ts. SOURCE_DATE_EPOCH: the time that the image says it was made, else 1970.
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { buildImage } from '../build/image/image.ts';

const REPOSITORY = join(import.meta.dirname, '..');

const { values: options } = parseArgs({
  options: {
    name: { type: 'string', default: 'localhost/podwire' },
    output: { type: 'string', default: 'dist/podwire-image.tar' },
    packages: { type: 'string' },
    rehearsed: { type: 'boolean', default: false },
  },
});
const outputPath = resolve(REPOSITORY, options.output);
await mkdir(dirname(outputPath), { recursive: true });
const work = await mkdtemp(join(dirname(outputPath), '.image-'));
try {
  const { archive, bill } = await buildImage({
    work,
    packages: options.packages === undefined ? join(work, 'packages') : resolve(REPOSITORY, options.packages),
    name: options.name,
    createdAt: new Date(Number(process.env['SOURCE_DATE_EPOCH'] ?? 0) * 1000).toISOString().replace(/\.\d+Z$/, 'Z'),
    unrehearsed: options.rehearsed ? 'fail' : 'cold',
    onStep: (platform, name, outcome, elapsedSeconds) =>
      say(`${platform} ${name}, ${elapsedSeconds.toFixed(1)} s: ${outcome}`),
  });
  await put(`${JSON.stringify(bill, undefined, 2)}\n`, join(dirname(outputPath), 'podwire.sbom.json'));
  await put(archive.bytes, outputPath);
  for (const { platform, unpackedBytes, packedBytes } of archive.sizes) {
    say(`${platform.architecture}: ${megabytes(unpackedBytes)} unpacked, ${megabytes(packedBytes)} compressed`);
  }
  say(`${archive.digest}, ${outputPath}`);
} finally {
  await rm(work, { recursive: true, force: true });
}

async function put(content: string | Buffer, path: string): Promise<void> {
  const temporary = join(work, 'output');
  await writeFile(temporary, content);
  await rename(temporary, path);
}

function say(line: string): void {
  process.stderr.write(`image: ${line}\n`);
}

function megabytes(sizeBytes: number): string {
  return `${(sizeBytes / 1e6).toFixed(1)} MB`;
}
