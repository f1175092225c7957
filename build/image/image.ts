import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bindExecutable } from '../../src/install/bind-executable.ts';
import { ownLibraries } from '../own-libraries.ts';
import { buildPodwire, type PodwireOptions } from '../podwire.ts';
import { packageManifest } from '../third-party-notices.ts';
import { spdxDocument, type Component } from './bill-of-materials.ts';
import { fetchDebianPackages, unpackDebianPackages } from './debian-packages.ts';
import { buildGoPlugins, PLUGINS } from './go-plugins.ts';
import { npmComponents } from './npm-components.ts';
import { ociArchives, type ImageContent, type OciArchives } from './oci-archive.ts';
import { copyrightFiles } from './copyright-files.ts';
import type { TarEntry } from './tar-archive.ts';

const REPOSITORY = join(import.meta.dirname, '../..');

export interface ImageOptions extends Pick<PodwireOptions, 'ifUnrehearsed'> {
  /** An empty folder. */
  readonly work: string;
  /** The folder of the Debian packages, which are downloaded if it does not exist. */
  readonly packages: string;
  readonly name: string;
  readonly createdAt: string;
  readonly onStep: (platform: string, ...step: Parameters<PodwireOptions['onStep']>) => void;
}

/** Of the executable's own loader and libraries, in the image. The installer copies them to the node. */
const LIBRARY_FOLDER = 'usr/lib/podwire';

/** For the notices of what contains the changed loader, as its license requires. */
const LOADER_NOTICE = `The dynamic loader (ld-linux-x86-64.so.2, ld-linux-aarch64.so.1)

It is part of the GNU C Library, under the GNU Lesser General Public License, version 2.1 or later, and was changed: it ignores the environment
variables LD_* and GLIBC_TUNABLES, the files /etc/ld.so.preload and /etc/ld.so.cache, and the default folders of libraries. Its source is that of
Debian's package libc6 in the version that the list of contents names, with the changes of src/install/isolate-loader.ts in podwire's source. The other
libraries of the packages libc6, libstdc++6 and libgcc-s1 are unchanged; /usr/share/doc has their licenses. You can replace any of them by another
version: podwire loads whatever file has the name.
`;

const PLATFORMS = [
  { architecture: 'x64', platform: { os: 'linux', architecture: 'amd64' } },
  { architecture: 'arm64', platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } },
] as const;

const OTHER_LICENSES = [
  'MIT', // Node, and packages from npm and Go
  'ISC',
  'BSD-3-Clause',
  'LGPL-2.1-or-later', // glibc
  'GPL-3.0-or-later WITH GCC-exception-3.1', // libstdc++, libgcc_s
];

export interface Image {
  readonly archives: OciArchives;
  /** An SPDX document of both architectures. */
  readonly billOfMaterials: object;
  /** What the images contain. */
  readonly components: readonly Component[];
  /** The executables as `npm run build` makes them, which use the libraries of their machine. */
  readonly executables: readonly {
    readonly architecture: 'amd64' | 'arm64';
    readonly content: Buffer;
    readonly thirdPartyNotices: string;
  }[];
}

/**
 * Builds the executable from the current sources, and the image for both architectures from it.
 *
 * @throws {Error} if a step fails
 */
export async function buildImage(options: ImageOptions): Promise<Image> {
  const { version, license } = await packageManifest(REPOSITORY);
  await fetchDebianPackages(options.packages);
  const image: Component = { name: 'podwire-image', version, license, url: `pkg:oci/podwire@${version}` };
  const parts: PlatformPart[] = [];
  for (const platform of PLATFORMS) parts.push(await buildPlatform(platform, version, license, options));
  const annotations = {
    'org.opencontainers.image.title': 'podwire',
    'org.opencontainers.image.description': 'CNI plugin for Kubernetes, with its installer',
    'org.opencontainers.image.version': version,
    'org.opencontainers.image.licenses': `${license} AND ${OTHER_LICENSES.join(' AND ')}`,
  };
  const archives = await ociArchives(
    parts.map(({ platform, layers, components }) => {
      return { platform, layers, billOfMaterials: spdxDocument(image, components, options.createdAt) };
    }),
    {
      name: options.name,
      tag: version,
      createdAt: options.createdAt,
      annotations,
      config: {
        User: '0:0', // the installer writes to folders that only the node's root can write
        Env: ['PATH=/usr/bin:/opt/cni/bin'],
        Entrypoint: ['/usr/bin/podwire', 'install'],
        WorkingDir: '/',
        Labels: annotations,
      },
    },
  );
  const components = parts.flatMap((part) => part.components);
  return {
    archives,
    billOfMaterials: spdxDocument(image, components, options.createdAt),
    components,
    executables: parts.map(({ executable }) => executable),
  };
}

type PlatformPart = Omit<ImageContent, 'billOfMaterials'> & {
  readonly components: readonly Component[];
  readonly executable: Image['executables'][number];
};

async function buildPlatform(
  { architecture, platform }: (typeof PLATFORMS)[number],
  version: string,
  license: string,
  options: ImageOptions,
): Promise<PlatformPart> {
  const inWork = (name: string) => join(options.work, platform.architecture, name);
  const podwire = await buildPodwire({
    architecture,
    entryPath: join(REPOSITORY, 'src/main.ts'),
    outputPath: inWork('podwire'),
    ifUnrehearsed: options.ifUnrehearsed,
    onStep: (...step) => options.onStep(platform.architecture, ...step),
  });
  const alone = await readFile(inWork('podwire'));
  const startedMs = performance.now();
  await mkdir(inWork('plugins'));
  const plugins = await buildGoPlugins(platform.architecture, inWork('plugins'));
  const pluginFiles = await Promise.all(PLUGINS.map((name) => programFile(name, inWork(`plugins/${name}`))));
  options.onStep(platform.architecture, 'plugins', PLUGINS.join(', '), (performance.now() - startedMs) / 1000);

  const debian = await unpackDebianPackages(options.packages, platform.architecture, inWork('debian'));
  // The installer's pods have a read-only root, where the executable could not unpack its addons.
  const addons = await Promise.all(
    Object.entries(podwire.addons).map(async ([name, path]) => [name, await readFile(path)] as const),
  );
  const programs = [alone, ...addons.map(([, content]) => content)];
  const libraries = await ownLibraries(programs, inWork('debian'));
  const own = [...libraries, ...addons].map(([name, content]) => ({
    path: `${LIBRARY_FOLDER}/${name}`,
    content,
    mode: 0o755,
  }));
  await bindExecutable(inWork('podwire'), `/${LIBRARY_FOLDER}`);
  const executable = await programFile('podwire', inWork('podwire'));
  const documents = {
    LICENSE: await readFile(join(REPOSITORY, 'LICENSE')),
    'third-party-notices.txt': Buffer.from(`${podwire.thirdPartyNotices}\n${'='.repeat(80)}\n\n${LOADER_NOTICE}`),
  };
  const pluginNotices = Buffer.from(plugins.thirdPartyNotices);
  return {
    platform,
    layers: [
      {
        createdBy: 'libraries and plugins',
        entries: [
          ...own,
          ...(await copyrightFiles(inWork('debian'))),
          ...pluginFiles,
          { path: 'usr/share/doc/containernetworking-plugins/copyright', content: pluginNotices, mode: 0o644 },
        ],
      },
      {
        createdBy: 'podwire',
        entries: [
          // In the folder of the plugins, because the installer installs the plugins next to itself.
          executable,
          ...['podwire', 'install-cni'].map((name) => ({
            path: `usr/bin/${name}`,
            linkTarget: '../../opt/cni/bin/podwire',
          })),
          // The DaemonSet of calico-node runs this name.
          { path: 'opt/cni/bin/install', linkTarget: 'podwire' },
          ...Object.entries(documents).map(([name, content]) => ({
            path: `usr/share/doc/podwire/${name}`,
            content,
            mode: 0o644,
          })),
        ],
      },
    ],
    components: [
      { name: 'podwire', version, license, url: `pkg:generic/podwire@${version}?arch=${platform.architecture}` },
      ...(await npmComponents(podwire.packages)),
      ...plugins.components,
      ...debian,
    ],
    executable: {
      architecture: platform.architecture,
      content: alone,
      thirdPartyNotices: podwire.thirdPartyNotices,
    },
  };
}

async function programFile(name: string, path: string): Promise<TarEntry & { readonly content: Buffer }> {
  return { path: `opt/cni/bin/${name}`, content: await readFile(path), mode: 0o755 };
}
