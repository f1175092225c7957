// npm run build:image: makes the OCI image for x64 and arm64 as one file, without a registry, a daemon or root. It
// needs an x64 machine with apt and Go, and a network. SOURCE_DATE_EPOCH sets the image's date of creation (1970 by
// default).
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { buildImage } from '../build/image/image.ts';
import { creationTime } from './command-line/creation-time.ts';
import { runScript } from './command-line/run-script.ts';

const USAGE = `usage: npm run build:image -- [options]

Builds the image, and next to it the bill of materials, podwire.sbom.json.
  --output PATH      write the image there (dist/podwire-image.tar)
  --name NAME        the image's name without its tag (localhost/podwire)
  --packages FOLDER  use the Debian packages in this folder; if it does not exist, fetch them into it
  --rehearsed        fail if no ADD can be run for the code cache, instead of making a cache that is slower
`;

const REPOSITORY = join(import.meta.dirname, '..');

await runScript(
  {
    name: 'build:image',
    usage: USAGE,
    options: {
      name: { type: 'string', default: 'localhost/podwire' },
      output: { type: 'string', default: 'dist/podwire-image.tar' },
      packages: { type: 'string' },
      rehearsed: { type: 'boolean', default: false },
    },
  },
  async ({ values: { name, output, packages, rehearsed } }) => {
    const outputPath = resolve(REPOSITORY, output);
    await mkdir(dirname(outputPath), { recursive: true });
    const work = await mkdtemp(join(dirname(outputPath), '.image-'));
    try {
      const { archives, billOfMaterials } = await buildImage({
        work,
        packages: packages === undefined ? join(work, 'packages') : resolve(REPOSITORY, packages),
        name,
        createdAt: creationTime(process.env['SOURCE_DATE_EPOCH']),
        ifUnrehearsed: rehearsed ? 'fail' : 'make-cold-cache',
        onStep: (platform, step, outcome, elapsedSeconds) =>
          log(`${platform} ${step}, ${elapsedSeconds.toFixed(1)} s: ${outcome}`),
      });
      const replace = async (path: string, content: string | Buffer) => {
        const temporary = join(work, 'output');
        await writeFile(temporary, content);
        await rename(temporary, path);
      };
      await replace(
        join(dirname(outputPath), 'podwire.sbom.json'),
        `${JSON.stringify(billOfMaterials, undefined, 2)}\n`,
      );
      await replace(outputPath, archives.all);
      for (const { platform, unpackedBytes, packedBytes } of archives.sizes) {
        const sizes = `${formatMegabytes(unpackedBytes)} unpacked, ${formatMegabytes(packedBytes)} compressed`;
        log(`${platform.architecture}: ${sizes}`);
      }
      log(`${archives.digest}, ${outputPath}`);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  },
);

function log(line: string): void {
  process.stderr.write(`image: ${line}\n`);
}

function formatMegabytes(sizeBytes: number): string {
  return `${(sizeBytes / 1e6).toFixed(1)} MB`;
}
