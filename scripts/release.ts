// npm run release: makes the folder release/, with everything that users download. It needs an x64 machine with apt and Go, and a
// network. SOURCE_DATE_EPOCH sets the date of the image and the bill of materials (1970 by default).
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { buildImage } from '../build/image/image.ts';
import { readSources } from '../build/release/origin.ts';
import { releaseFiles, writeRelease } from '../build/release/release.ts';
import { parseSigningKey } from '../build/release/signature.ts';
import { packageVersion } from '../build/third-party-notices.ts';
import { runScript } from './command-line/run-script.ts';
import { creationTime } from './command-line/creation-time.ts';

const USAGE = `usage: npm run release -- [options]

Builds what users download: executables, image archives, manifests, the Helm chart, a bill of materials, provenance and checksums.
  --output FOLDER    write the files there; it must be empty or missing (release)
  --name NAME        the image's name without its tag, in the archives, the manifests and the chart (localhost/podwire)
  --key FILE         sign with this private key, Ed25519 in PEM; /dev/stdin reads it from standard input
  --source URI       URI of the repository, for the provenance
  --builder URI      URI of what builds, for the provenance (urn:podwire:builder:unnamed)
  --packages FOLDER  use the Debian packages in this folder; if it does not exist, fetch them into it
`;

const REPOSITORY = join(import.meta.dirname, '..');

await runScript(
  {
    name: 'release',
    usage: USAGE,
    options: {
      output: { type: 'string', default: 'release' },
      name: { type: 'string', default: 'localhost/podwire' },
      key: { type: 'string' },
      source: { type: 'string' },
      builder: { type: 'string', default: 'urn:podwire:builder:unnamed' },
      packages: { type: 'string' },
    },
  },
  async ({ values: { output, name, key, source, builder, packages } }) => {
    const signingKey = key === undefined ? undefined : parseSigningKey(await readFile(key, 'utf8'));
    const version = await packageVersion(REPOSITORY);
    const createdAt = creationTime(process.env['SOURCE_DATE_EPOCH']);
    const work = await mkdtemp(join(tmpdir(), 'podwire-release-'));
    try {
      const image = await buildImage({
        work,
        packages: packages === undefined ? join(work, 'packages') : resolve(REPOSITORY, packages),
        name,
        createdAt,
        ifUnrehearsed: 'fail',
        onStep: (platform, step, outcome, elapsedSeconds) =>
          log(`${platform} ${step}, ${elapsedSeconds.toFixed(1)} s: ${outcome.replaceAll(`${work}/`, '')}`),
      });
      const origin = {
        version,
        imageName: name,
        createdAt,
        source,
        builder,
        components: image.components,
        ...(await readSources()),
      };
      const files = await releaseFiles(image, origin, signingKey);
      await writeRelease(resolve(REPOSITORY, output), files);
      for (const file of files) log(`${file.name}, ${(file.content.length / 1e6).toFixed(2)} MB`);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  },
);

function log(line: string): void {
  process.stderr.write(`release: ${line}\n`);
}
