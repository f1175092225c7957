// Tests the image as a node receives it: read with tar(1), run with chroot(1) and, for arm64, with qemu-user.
import { execFile } from 'node:child_process';
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { thisArchitecture } from '../../../build/architecture.ts';
import { isElf, parseElf } from '../../../build/elf.ts';
import { PLUGINS } from '../../../build/image/go-plugins.ts';
import { arm64Packages } from '../../../build/other-architecture.ts';
import { packageVersion } from '../../../build/third-party-notices.ts';
import { runForArm64, runInPrivateNamespace, runInRoot, type RunIo } from './run-in-root.ts';
import type { StatusOverTls } from './status-over-tls.ts';
import { descriptors, unpackedDigest, unpackImage, type Descriptor, type UnpackedImage } from './unpacked-image.ts';

const REPOSITORY = join(import.meta.dirname, '../../..');
const SCRIPT = join(REPOSITORY, 'scripts/build-image.ts');
const MACHINES = { amd64: 'x64', arm64: 'arm64' } as const;
const LOADERS = { amd64: 'ld-linux-x86-64.so.2', arm64: 'ld-linux-aarch64.so.1' } as const;
const LIBRARY_FOLDER = 'usr/lib/podwire';
const ARCHITECTURES = ['amd64', 'arm64'] as const;
type Architecture = (typeof ARCHITECTURES)[number];

const ADD: Readonly<Record<string, string>> = {
  CNI_COMMAND: 'ADD',
  CNI_CONTAINERID: 'container',
  CNI_IFNAME: 'eth0',
  CNI_NETNS: '/missing',
  CNI_PATH: '/opt/cni/bin',
  CNI_ARGS: 'K8S_POD_NAMESPACE=default;K8S_POD_NAME=pod',
};

/** An image that has just been built, to avoid another build. */
const { PODWIRE_IMAGE } = process.env;

let folder = '';
let archivePath = '';
let image: UnpackedImage;
let inIndex: readonly Descriptor[] = [];
const inFolder = (name: string) => join(folder, name);
const rootOf = (architecture: Architecture) => inFolder(`root-${architecture}`);
const manifestOf = (architecture: Architecture) =>
  inIndex.find(({ platform }) => platform === `linux/${architecture}`)?.digest ?? 'no manifest';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'podwire-image-'));
  archivePath = PODWIRE_IMAGE === undefined ? await build('first') : resolve(REPOSITORY, PODWIRE_IMAGE);
  image = await unpackImage(archivePath, inFolder('layout'));
  const [index] = descriptors(image.index['manifests']);
  inIndex = descriptors((await image.readJson(index?.digest ?? ''))['manifests']);
  for (const architecture of ARCHITECTURES) await image.unpackRoot(manifestOf(architecture), rootOf(architecture));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function build(name: string): Promise<string> {
  const path = inFolder(`${name}/image.tar`);
  const args = ['--rehearsed', '--packages', inFolder('packages'), '--output', path];
  await promisify(execFile)(process.execPath, [SCRIPT, ...args]);
  return path;
}

const billBeside = (archive: string) => join(dirname(archive), 'podwire.sbom.json');

describe('the archive', () => {
  it('each blob has the digest of its name', () => {
    for (const [name, { digest }] of image.blobs) expect(digest).toBe(name);
  });

  it('each reference has the size of its blob, and each blob has a reference', async () => {
    const manifests = await Promise.all(inIndex.map(({ digest }) => image.readJson(digest)));
    const referred = [
      ...descriptors(image.index['manifests']),
      ...inIndex,
      ...manifests.flatMap(({ config, layers, subject }) =>
        descriptors([config, ...(Array.isArray(layers) ? layers : []), ...(subject === undefined ? [] : [subject])]),
      ),
    ];
    for (const { digest, sizeBytes } of referred) expect(image.blobs.get(digest)?.sizeBytes).toBe(sizeBytes);
    expect(new Set(referred.map(({ digest }) => digest))).toEqual(new Set(image.blobs.keys()));
  });

  it('has an image for each architecture, and a bill of materials for each', async () => {
    expect(inIndex.map(({ platform }) => platform)).toEqual([
      'linux/amd64',
      'linux/arm64',
      'unknown/unknown',
      'unknown/unknown',
    ]);
    const bills = await Promise.all(inIndex.slice(2).map(({ digest }) => image.readJson(digest)));
    expect(bills.map(({ subject }) => subject)).toMatchObject([
      { digest: manifestOf('amd64') },
      { digest: manifestOf('arm64') },
    ]);
  });

  it('has annotations with title, version and licenses', async () => {
    expect((await image.readJson(manifestOf('amd64')))['annotations']).toMatchObject({
      'org.opencontainers.image.title': 'podwire',
      'org.opencontainers.image.version': await packageVersion(REPOSITORY),
      'org.opencontainers.image.licenses': expect.stringContaining('Apache-2.0'),
    });
  });

  it('the bill of materials lists the packages from npm, Go and Debian with their versions', async () => {
    const bill = await readFile(billBeside(archivePath), 'utf8');
    const named = (pattern: RegExp) => expect(bill).toMatch(pattern);
    named(/"spdxVersion": "SPDX-2\.3"/);
    named(/pkg:npm\/netlink@\d/);
    named(/pkg:npm\/%40koromix\/koffi-linux-arm64@\d/);
    named(/pkg:generic\/node@24\./);
    named(/pkg:golang\/github\.com\/containernetworking\/plugins@v1\.9\.1/);
    named(/pkg:golang\/stdlib@1\./);
    named(/pkg:deb\/debian\/libc6@.*arch=arm64/);
  });
});

describe.each(ARCHITECTURES)('the image for %s', (architecture) => {
  const root = () => rootOf(architecture);

  it('has the program, five plugins, their libraries, licenses, and nothing else', async () => {
    const files = (await readdir(root(), { recursive: true, withFileTypes: true }))
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(root().length + 1))
      .filter((path) => !path.startsWith('usr/share/doc/'));
    const libraries = ['libc.so.6', 'libdl.so.2', 'libgcc_s.so.1', 'libm.so.6', 'libpthread.so.0', 'libstdc++.so.6'];
    const expected = [
      ...[...libraries, LOADERS[architecture], 'koffi.node', 'netlink.node'].map((name) => `${LIBRARY_FOLDER}/${name}`),
      ...['install', 'podwire', ...PLUGINS].map((name) => `opt/cni/bin/${name}`),
      'usr/bin/install-cni',
      'usr/bin/podwire',
    ];
    expect(files.toSorted()).toEqual(expected.toSorted());
  });

  it('each program is for this architecture, and its loader and libraries are in the image', async () => {
    const paths = (await readdir(root(), { recursive: true })).map((path) => join(root(), path));
    const programs = (await Promise.all(paths.map(readIfFile))).filter((content) => isElf(content)).map(parseElf);
    expect(programs.length).toBe(15);
    const names = new Set(paths.map((path) => path.slice(path.lastIndexOf('/') + 1)));
    for (const program of programs) {
      expect(program.architecture).toBe(MACHINES[architecture]);
      expect(program.needed.filter((name) => !names.has(name))).toEqual([]);
    }
    const podwire = parseElf(await readFile(join(root(), 'opt/cni/bin/podwire')));
    expect(podwire.interpreter).toBe(`/${LIBRARY_FOLDER}/${LOADERS[architecture]}`);
  });

  it('the libraries of the addons inside the program are in the image, too', async () => {
    const machine = MACHINES[architecture];
    const packages = join(REPOSITORY, 'node_modules');
    const koffi = join(machine === thisArchitecture() ? packages : await arm64Packages(), '@koromix');
    const addons = [
      join(packages, `netlink/prebuilds/linux-${machine}/node.napi.node`),
      join(koffi, `koffi-linux-${machine}/linux_${machine}/koffi.node`),
    ];
    const there = await readdir(join(root(), LIBRARY_FOLDER));
    for (const path of addons) {
      expect(there).toEqual(expect.arrayContaining([...parseElf(await readFile(path)).needed]));
    }
  });

  it('the program names no folder of the machine that built it', async () => {
    const program = await readFile(join(root(), 'opt/cni/bin/podwire'));
    expect([program.includes(REPOSITORY), program.includes(folder)]).toEqual([false, false]);
  });

  it('says that its loader was changed, and how', async () => {
    const notices = await readFile(join(root(), 'usr/share/doc/podwire/third-party-notices.txt'), 'utf8');
    expect(notices).toMatch(/Lesser General Public License, version 2\.1 or later, and was changed/);
    expect(await readdir(join(root(), 'usr/share/doc'))).toEqual(
      expect.arrayContaining(['libc6', 'libstdc++6', 'libgcc-s1']),
    );
  });

  it('all files belong to root, have time 0 and no special permissions', async () => {
    const odd = (await image.listRoot(manifestOf(architecture))).filter(
      (line) => !/^(drwxr-xr-x|-rwxr-xr-x|-rw-r--r--|lrwxrwxrwx) 0\/0 \d+ 1970-01-01 00:00:00 /.test(line),
    );
    expect(odd).toEqual([]);
  });

  it('is at most 145 MB, 58 MB compressed, and its configuration lists the digests of its unpacked layers', async () => {
    const { config, layers } = await image.readJson(manifestOf(architecture));
    const packed = descriptors(layers);
    expect(packed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)).toBeLessThan(58e6);
    const unpacked = await Promise.all(packed.map(({ digest }) => unpackedDigest(inFolder('layout'), digest)));
    expect(unpacked.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)).toBeLessThan(145e6);
    const [configuration] = descriptors([config]);
    expect(await image.readJson(configuration?.digest ?? '')).toMatchObject({
      architecture,
      os: 'linux',
      config: { Entrypoint: ['/usr/bin/podwire', 'install'] },
      rootfs: { diff_ids: unpacked.map(({ digest }) => digest) },
    });
  });
});

describe('amd64 runs with the files of the image only', () => {
  const inImage = (args: readonly string[], io?: RunIo) => runInRoot(rootOf('amd64'), args, io);

  it('podwire -v has a code cache that its V8 accepts', async () => {
    const { stdout } = await inImage(['/usr/bin/podwire', '-v']);
    expect(stdout).toContain(`podwire ${await packageVersion(REPOSITORY)}\n`);
    expect(stdout).toContain('code cache: accepted');
  });

  it.each(['podwire', ...PLUGINS])('%s answers VERSION', async (name) => {
    const io = { stdin: '{"cniVersion":"1.0.0"}', environment: { CNI_COMMAND: 'VERSION' } };
    const { exitCode, stdout } = await inImage([`/opt/cni/bin/${name}`], io);
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([
      0,
      { supportedVersions: expect.arrayContaining(['1.0.0', '1.1.0']) },
    ]);
  });
});

it('the installer needs no file but those of the image, whose root is read-only: it loads its native code', async () => {
  // It has nothing to connect to, but it has cleaned up by then.
  const host = join(rootOf('amd64'), 'host');
  for (const path of ['opt/cni/bin', 'etc/cni/net.d']) await mkdir(join(host, path), { recursive: true });
  const left = join(host, 'etc/cni/net.d/.podwire-new-a.0123456789ab.tmp');
  for (const path of [left, left.replace('.tmp', '.lock')]) await writeFile(path, '');
  const { exitCode } = await runInRoot(rootOf('amd64'), ['/opt/cni/bin/podwire', 'uninstall'], {
    stdin: '',
    environment: {},
    isReadOnly: true,
  });
  expect([exitCode, await readdir(dirname(left))]).toEqual([0, []]);
});

describe('arm64 runs under qemu-user with the libraries of its image', () => {
  const podwire = (args: readonly string[], io?: RunIo) =>
    runForArm64(rootOf('arm64'), ['/opt/cni/bin/podwire', ...args], io);

  it('podwire -v has no code cache, because it was built on another machine', async () => {
    const { stdout } = await podwire(['-v']);
    expect(stdout).toContain(`podwire ${await packageVersion(REPOSITORY)}\n`);
    expect(stdout).toContain('code cache: none');
  });

  it('ignores the variables of the loader', async () => {
    const hostile = ['LD_PRELOAD=/missing.so', 'LD_LIBRARY_PATH=/missing', 'LD_DEBUG=all', 'LD_TRACE_LOADED_OBJECTS=1'];
    const { exitCode, stdout } = await podwire(['-v'], { stdin: '', environment: {}, variables: hostile });
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining('code cache')]);
  });

  it('VERSION', async () => {
    const io = { stdin: '{"cniVersion":"0.4.0"}', environment: { CNI_COMMAND: 'VERSION' } };
    const { exitCode, stdout } = await podwire([], io);
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([0, { supportedVersions: expect.arrayContaining(['1.1.0']) }]);
  });

  const refuses = (why: string, code: number, stdin: string, environment = ADD) =>
    it(`ADD: ${why}, code ${code}`, async () => {
      const { exitCode, stdout } = await podwire([], { stdin, environment });
      expect([exitCode, JSON.parse(stdout)]).toMatchObject([1, { code }]);
    });

  const NETCONF = { cniVersion: '1.0.0', name: 'net', type: 'podwire', ipam: { type: 'host-local' } };
  refuses('no container id', 4, JSON.stringify(NETCONF), { CNI_COMMAND: 'ADD' });
  refuses('a version that does not exist', 1, JSON.stringify({ ...NETCONF, cniVersion: '9.9.9' }));
  refuses('no JSON', 6, 'no JSON');
  refuses('no ipam', 7, JSON.stringify({ ...NETCONF, ipam: undefined }));
});

it('arm64 verifies an API server with the OpenSSL in its executable', async () => {
  const program = join(import.meta.dirname, 'status-over-tls.ts');
  const { stdout } = await runInPrivateNamespace(program, [rootOf('arm64')]);
  const statuses: readonly StatusOverTls[] = JSON.parse(stdout);
  expect(statuses).toEqual([
    { exitCode: 0, stdout: '', requests: ['GET /api/v1/nodes/n1'] },
    { exitCode: 1, stdout: expect.stringContaining('is not trusted (SELF_SIGNED_CERT_IN_CHAIN)'), requests: [] },
  ]);
});

async function readIfFile(path: string): Promise<Buffer> {
  return (await lstat(path)).isFile() ? readFile(path) : Buffer.alloc(0);
}
