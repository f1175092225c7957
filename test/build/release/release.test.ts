// Tests a release as users receive it: with sha256sum, openssl and tar, and against another one that was built elsewhere.
import { execFile } from 'node:child_process';
import { createHash, verify } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { thisArchitecture } from '../../../build/architecture.ts';
import { packageVersion } from '../../../build/third-party-notices.ts';
import { OVERLAYS } from '../../../build/render-overlay.ts';
import { TEST_RELEASE, TEST_RELEASE_KEY } from '../../../build/up-to-date.ts';
import { member, memberText } from '../../lab/member.ts';
import { parseManifest } from '../../support/servers/manifest.ts';

const REPOSITORY = join(import.meta.dirname, '../../..');
const run = promisify(execFile);
const version = await packageVersion(REPOSITORY);
const inRelease = (name: string) => join(TEST_RELEASE, name);
const readJson = async (name: string): Promise<unknown> => JSON.parse(await readFile(inRelease(name), 'utf8'));
const readText = (name: string) => readFile(inRelease(name), 'utf8');
const listAt = (value: unknown, key: string): readonly unknown[] => {
  const list = member(value, key);
  return Array.isArray(list) ? list : [];
};
const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');

let scratch = '';
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'podwire-release-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

it('sha256sum accepts every file, and SHA256SUMS names all but itself and its signature', async () => {
  const { stdout } = await run('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: TEST_RELEASE });
  const names = stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/: OK$/, ''));
  const files = await readdir(TEST_RELEASE);
  expect(names.toSorted()).toEqual(files.filter((name) => !name.startsWith('SHA256SUMS')).toSorted());
});

describe('the signature', () => {
  const openssl = (file: string) =>
    run('openssl', [
      'pkeyutl',
      '-verify',
      '-pubin',
      '-inkey',
      inRelease('release-key.pub'),
      '-rawin',
      '-in',
      file,
      '-sigfile',
      inRelease('SHA256SUMS.sig'),
    ]);

  it('of the checksums is accepted by openssl', async () =>
    expect((await openssl(inRelease('SHA256SUMS'))).stdout).toContain('Signature Verified Successfully'));

  it('does not hold for other content', () =>
    expect(openssl(inRelease('release-key.pub'))).rejects.toThrow('Command failed'));

  it('of the provenance is that of a DSSE envelope, whose payload is the provenance', async () => {
    const envelope = await readJson(`podwire-${version}.provenance.intoto.jsonl`);
    const payload = Buffer.from(memberText(envelope, 'payload'), 'base64');
    expect(payload.toString()).toBe(await readText(`podwire-${version}.provenance.json`));
    const signed = Buffer.from(`DSSEv1 28 application/vnd.in-toto+json ${payload.length} ${payload.toString()}`);
    const [signature] = listAt(envelope, 'signatures');
    const bytes = Buffer.from(memberText(signature, 'sig'), 'base64');
    expect(verify(null, signed, await readText('release-key.pub'), bytes)).toBe(true);
  });
});

it('the provenance names the commit, and each file that was built with its digest', async () => {
  const provenance = await readJson(`podwire-${version}.provenance.json`);
  const subjects = listAt(provenance, 'subject');
  const made = (await readdir(TEST_RELEASE)).filter((name) => !/^(SHA256SUMS|release-key)|provenance/.test(name));
  expect(subjects.map((subject) => memberText(subject, 'name')).toSorted()).toEqual(made.toSorted());
  for (const subject of subjects) {
    const content = await readFile(inRelease(memberText(subject, 'name')));
    expect(member(subject, 'digest', 'sha256')).toBe(sha256(content));
  }
  const { stdout: commit } = await run('git', ['rev-parse', 'HEAD'], { cwd: REPOSITORY });
  expect(JSON.stringify(member(provenance, 'predicate', 'buildDefinition', 'resolvedDependencies'))).toContain(
    `{"gitCommit":"${commit.trim()}"}`,
  );
});

it('the executable for this machine runs', async () => {
  const architecture = { x64: 'amd64', arm64: 'arm64' }[thisArchitecture()];
  const path = inRelease(`podwire-${version}-linux-${architecture}`);
  expect((await run(path, ['--version'])).stdout).toContain(`podwire ${version}`);
});

describe('the image archives', () => {
  const unpack = async (name: string) => {
    const folder = join(scratch, name);
    await mkdir(folder);
    await run('tar', ['-xf', inRelease(`podwire-${version}-${name}.tar`), '-C', folder]);
    return { index: await readFile(join(folder, 'index.json')), blobs: await readdir(join(folder, 'blobs/sha256')) };
  };

  it('that of all architectures, and the bill of materials, are those of npm run build:image', async () => {
    const built = await readFile(join(REPOSITORY, 'dist/podwire-image.tar'));
    expect(sha256(await readFile(inRelease(`podwire-${version}-image.tar`)))).toBe(sha256(built));
    expect(await readText(`podwire-${version}.spdx.json`)).toBe(
      await readFile(join(REPOSITORY, 'dist/podwire.sbom.json'), 'utf8'),
    );
  });

  it('those of one architecture have the same index, and together what that of all has', async () => {
    const [all, amd64, arm64] = [await unpack('image'), await unpack('image-amd64'), await unpack('image-arm64')];
    expect([amd64.index, arm64.index]).toEqual([all.index, all.index]);
    expect(new Set([...amd64.blobs, ...arm64.blobs])).toEqual(new Set(all.blobs));
    expect(amd64.blobs.length).toBeLessThan(all.blobs.length);
    expect(amd64.blobs.filter((blob) => arm64.blobs.includes(blob))).toContain(
      (await readText(`podwire-${version}-image.digest.txt`)).trim().split('@sha256:')[1],
    );
  });
});

it.each(OVERLAYS)('the manifest %s pins the image of the release by its digest', async (overlay) => {
  const objects = parseManifest(await readText(`podwire-${version}-${overlay}.yaml`));
  const image = (await readText(`podwire-${version}-image.digest.txt`)).trim();
  const daemonSet = objects.find(
    (object) => object['kind'] === 'DaemonSet' && memberText(object['metadata'], 'name') === 'podwire',
  );
  expect(JSON.stringify(daemonSet).match(/"image":"[^"]*"/g)).toEqual([`"image":"${image}"`, `"image":"${image}"`]);
});

it('another run, in a copy in another folder, with another umask and time zone, produces the same bytes', async () => {
  const copy = await mkdtemp(join(REPOSITORY, 'dist/.another-'));
  try {
    await copyRepository(copy);
    const script = `umask 077; node scripts/release.ts --key ${TEST_RELEASE_KEY} --output release`;
    const environment = { ...process.env, TZ: 'Pacific/Chatham', LANG: 'C', GIT_OPTIONAL_LOCKS: '0' };
    await run('sh', ['-c', script], { cwd: copy, env: environment });
    const digests = async (folder: string) =>
      Promise.all(
        (await readdir(folder)).toSorted().map(async (name) => [name, sha256(await readFile(join(folder, name)))]),
      );
    expect(await digests(join(copy, 'release'))).toEqual(await digests(TEST_RELEASE));
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}, 900_000);

/** Copies what git would, with the packages; hard links, because nothing is changed. */
async function copyRepository(folder: string): Promise<void> {
  const list = 'git ls-files -z --cached --others --exclude-standard';
  await run(
    'sh',
    ['-c', `${list} | xargs -0 sh -c 'for f; do [ ! -e "$f" ] || cp --parents -al "$f" "$0"; done' "$1"`, 'sh', folder],
    { cwd: REPOSITORY },
  );
  await run('cp', ['-al', '.git', 'node_modules', folder], { cwd: REPOSITORY });
}
