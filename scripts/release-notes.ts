// node scripts/release-notes.ts VERSION: prints the section of CHANGELOG.md. It fails if the version is not that of package.json, or if
// something is unreleased.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageVersion } from '../build/third-party-notices.ts';
import { releaseNotes } from './release/changelog.ts';

const REPOSITORY = join(import.meta.dirname, '..');

const [, , version = ''] = process.argv;
const ofPackage = await packageVersion(REPOSITORY);
if (version !== ofPackage) throw new Error(`package.json has the version ${ofPackage}, not ${JSON.stringify(version)}`);
process.stdout.write(releaseNotes(await readFile(join(REPOSITORY, 'CHANGELOG.md'), 'utf8'), version));
