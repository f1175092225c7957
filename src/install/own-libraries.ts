import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { readNames, type FileContent } from '../system/files.ts';
import { ownLibraryFolder } from '../system/native-addon.ts';
import { isOpenToOthers } from '../system/trusted-path.ts';
import { readBinding, readLoaderPath } from './bind-executable.ts';
import { digestOfFile } from './file-digest.ts';
import type { Layout } from './layout.ts';
import { readMachineLibraries } from './machine-libraries.ts';
import { contradictsMount } from './mount-point.ts';
import { InstallError } from './install-error.ts';
import { isFolder } from './observe-node.ts';
import { PODWIRE_VERSION } from '../version.ts';

/** The loader and the libraries that the executable is bound to on the node. */
export interface OwnLibraries {
  readonly files: readonly LibraryFile[];
  /** The name of their folder on the node. No other build has the same. */
  readonly folderName: string;
}

export interface LibraryFile {
  readonly name: string;
  readonly digest: string;
  readonly content: FileContent;
}

/** A folder of the node in which the folder of the libraries can be. */
export interface Place {
  /** As this process sees it. */
  readonly here: string;
  /** As the node sees it. */
  readonly onNode: string;
  /** Why it cannot be used, if that is known without trying it. */
  readonly problem: string | undefined;
}

/** What the installer knows about libraries before it changes anything. */
export interface LibraryFacts {
  /** `undefined`: the executable uses the libraries of the node. */
  readonly libraries: OwnLibraries | undefined;
  /** Where they can be on the node, best first. */
  readonly places: readonly Place[];
  readonly binding: NodeBinding;
}

/** The libraries of the executable that is on the node. */
export interface NodeBinding {
  /** Their folder, if it is in one of the places. */
  readonly folder: { readonly here: string; readonly onNode: string } | undefined;
  /** Whether the executable is bound to the libraries of this image. */
  readonly isOfImage: boolean;
  /** Whether it is, and these are complete; or both it and the image's executable use those of their machine. */
  readonly isIntact: boolean;
}

/**
 * Observes the libraries of the image, those of the executable on the node, and where they can be.
 *
 * @param executablePath this program
 */
export async function observeLibraries(layout: Layout, executablePath: string): Promise<LibraryFacts> {
  const libraries = await readLibraries(executablePath);
  const hasStateFolder = layout.isThisMachine || (await isFolder(layout.here.state));
  const mountInfo = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  const places = libraryPlaces(layout, { hasStateFolder, mountInfo });
  const bound = await readBinding(join(layout.here.programs, 'podwire'));
  const place = places.find(({ onNode }) => bound !== undefined && onNode === dirname(bound));
  if (place === undefined || bound === undefined) {
    return {
      libraries,
      places,
      binding: { folder: undefined, isOfImage: false, isIntact: libraries === undefined && bound === undefined },
    };
  }
  const folder = { here: join(place.here, basename(bound)), onNode: bound };
  const isOfImage = libraries !== undefined && basename(bound) === libraries.folderName;
  const isIntact = isOfImage && (await hasLibraries(folder.here, libraries));
  return { libraries, places, binding: { folder, isOfImage, isIntact } };
}

/**
 * The executable of the image is bound to libraries there. The executable alone takes those that it has loaded on this
 * machine along, if their loader can be isolated.
 */
async function readLibraries(executablePath: string): Promise<OwnLibraries | undefined> {
  const loaderPath = await readLoaderPath(executablePath);
  if (loaderPath === undefined) return undefined;
  const own = ownLibraryFolder();
  const sources = own === undefined ? readMachineLibraries(loaderPath) : filesIn(own);
  if (sources === undefined) return undefined;
  const files = await Promise.all([...sources].map(([name, content]) => libraryFile(name, content)));
  // The name contains a hash of the executable, too, because its native addons are in the same folder.
  const named = [await digestOfFile(executablePath), files.map(({ name, digest }) => [name, digest])];
  const hash = createHash('sha256').update(JSON.stringify(named)).digest('hex');
  return { files, folderName: `${PODWIRE_VERSION}-${hash.slice(0, 12)}` };
}

function filesIn(folder: string): ReadonlyMap<string, FileContent> {
  const names = readNames(folder).filter((name) => /\.so(\.|$)/.test(name));
  return new Map(names.toSorted().map((name) => [name, { copyOf: join(folder, name) }]));
}

async function libraryFile(name: string, content: FileContent): Promise<LibraryFile> {
  const isCopy = typeof content === 'object' && 'copyOf' in content;
  const digest = isCopy
    ? await digestOfFile(content.copyOf, 'whatever its mode is')
    : createHash('sha256').update(content).digest('hex');
  if (digest === undefined) throw new InstallError(`the library ${name} cannot be read: use an unchanged image`);
  return { name, digest, content };
}

/**
 * The folders of the node that are tried for the libraries, in this order.
 *
 * The runtime runs programs from their folder, so libraries can be loaded from there: it is not mounted noexec, new files
 * get a label that permits execution, and if a reboot empties it, it takes the executable along. But the paths are written
 * into the executable, and the path of that folder on the node is only known from CNI_BIN_DIR. The folder of the state has
 * the same path on every node.
 *
 * @param mountInfo the text of /proc/self/mountinfo
 */
export function libraryPlaces(
  { here, onNode, isThisMachine }: Layout,
  { hasStateFolder, mountInfo }: { readonly hasStateFolder: boolean; readonly mountInfo: string },
): readonly Place[] {
  const isElsewhere = !isThisMachine && contradictsMount(mountInfo, here.programs, onNode.programs);
  return [
    {
      here: join(here.programs, '.podwire'),
      onNode: join(onNode.programs, '.podwire'),
      problem: isElsewhere
        ? `${onNode.programs} is not the folder that is mounted here: set CNI_BIN_DIR to its path`
        : undefined,
    },
    {
      here: join(here.state, 'native'),
      onNode: join(onNode.state, 'native'),
      problem: hasStateFolder ? undefined : 'it is not mounted here',
    },
  ];
}

/** Whether a folder has all the libraries, unchanged, and only root can change them. */
async function hasLibraries(folder: string, { files }: Pick<OwnLibraries, 'files'>): Promise<boolean> {
  const paths = [folder, ...files.map(({ name }) => join(folder, name))];
  const stats = await Promise.all(paths.map((path) => stat(path).catch(() => undefined)));
  if (stats.some((one) => one === undefined || isOpenToOthers(one))) return false;
  const digests = await Promise.all(files.map(({ name }) => digestOfFile(join(folder, name))));
  return files.every(({ digest }, index) => digests[index] === digest);
}
