import { dirname, join } from 'node:path';
import { makeSecret, type Secret } from '../cluster/credentials/secret.ts';
import { InstallError } from './install-error.ts';
import type { Folders, Layout } from './layout.ts';
import type { RenderedConfig } from './netconf-template.ts';
import type { Operation } from './operation.ts';
import type { LibraryFacts } from './own-libraries.ts';

/** A program in the image, compared with the file of that name on the node. */
export interface ProgramFact {
  readonly name: string;
  readonly sourcePath: string;
  readonly sourceDigest: string;
  /** `undefined`: the node has no such file. */
  readonly nodeDigest: string | undefined;
  /** Then users other than root can change the file on the node, and it is replaced. */
  readonly isOpenToOthers: boolean;
}

/** A file on the node. */
export interface FileFact {
  readonly text: string;
  readonly mode: number;
}

/** What the files should contain, and what they contain now. */
export interface FileFacts {
  readonly layout: Layout;
  readonly configName: string;
  readonly kubeconfigName: string;
  readonly kubeconfig: Secret;
  /** `undefined`: the network configuration is not installed. */
  readonly config: RenderedConfig | undefined;
  /** The existing files, by their names in the folder of network configurations. */
  readonly files: ReadonlyMap<string, FileFact>;
}

export interface InstallFacts extends FileFacts, LibraryFacts {
  readonly programs: readonly ProgramFact[];
  /** Every file name in the node's folder of plugins. */
  readonly nodePrograms: ReadonlySet<string>;
  readonly skippedPrograms: readonly string[];
  readonly updatePrograms: boolean;
  readonly oldConfigNames: readonly string[];
  /** The version of the executable in the image. */
  readonly version: string;
}

/**
 * First the programs, then the kubeconfig, then the network configuration: as soon as the runtime sees that, it calls
 * the programs. Old network configurations are removed last, so that there is always one. Native code of other versions is
 * removed once no new process uses it.
 */
export function planInstall(facts: InstallFacts): readonly Operation[] {
  const { layout, oldConfigNames, configName, files } = facts;
  return [
    ...(['programs', 'configs'] as const).map((folder) => removeAbandoned(layout, folder)),
    ...facts.programs.flatMap((program) => planProgram(program, facts)),
    ...planNativeCode(facts),
    ...planFiles(facts),
    ...oldConfigNames
      .filter((name) => name !== configName && files.has(name))
      .map((name): Operation => ({ kind: 'remove-file', ...placeOf(layout, 'configs', name) })),
  ];
}

/** Removes what killed installers left in a folder. */
export function removeAbandoned({ here, onNode }: Layout, folder: keyof Folders): Operation {
  return { kind: 'remove-abandoned-files', path: here[folder], shownPath: onNode[folder] };
}

/** Writes the kubeconfig and the network configuration, unless they are up to date. */
export function planFiles({
  layout,
  configName,
  kubeconfigName,
  kubeconfig,
  config,
  files,
}: FileFacts): readonly Operation[] {
  const expected = [{ name: kubeconfigName, text: kubeconfig, mode: 0o600 }];
  if (config !== undefined) {
    const text = makeSecret(config.text, 'the network configuration');
    expected.push({ name: configName, text, mode: config.holdsSecret ? 0o600 : 0o644 });
  }
  return expected.map(({ name, text, mode }): Operation => {
    const place = placeOf(layout, 'configs', name);
    const current = files.get(name);
    return current?.text === text.reveal() && current.mode === mode
      ? { kind: 'keep', shownPath: place.shownPath, why: UP_TO_DATE }
      : { kind: 'write-file', ...place, text, mode };
  });
}

/**
 * Checks that every program of the network configuration exists or will be installed. Otherwise the node would be Ready,
 * but every pod on it would fail.
 *
 * @throws {InstallError} naming the missing programs and what to do
 */
export function assertProgramsPresent(
  facts: Pick<InstallFacts, 'programs' | 'nodePrograms' | 'skippedPrograms' | 'config' | 'layout'>,
): void {
  const installed = facts.programs.map(({ name }) => name).filter((name) => !facts.skippedPrograms.includes(name));
  const missing = (facts.config?.programs ?? []).filter(
    (name) => !installed.includes(name) && !facts.nodePrograms.has(name),
  );
  if (missing.length === 0) return;
  const folder = facts.layout.onNode.programs;
  throw new InstallError(
    `the network configuration needs ${missing.join(' and ')}, which neither this image nor ${folder} on the node contains: ` +
      `install the package containernetworking-plugins on the node, remove them from SKIP_CNI_BINARIES, or from the configuration`,
  );
}

/**
 * Checks that the executable runs on the node. Without its own libraries it does so where it runs now.
 *
 * @throws {InstallError} if it would be put onto another machine
 */
export function assertRunsOnNode(
  facts: Pick<InstallFacts, 'programs' | 'skippedPrograms' | 'updatePrograms' | 'binding' | 'libraries' | 'layout'>,
): void {
  const podwire = facts.programs.find(({ name }) => name === 'podwire');
  const isPlaced = podwire !== undefined && reasonToKeep(podwire, facts) === undefined;
  if (!isPlaced || facts.libraries !== undefined || facts.layout.isThisMachine) return;
  throw new InstallError(
    'this executable cannot bring the libraries of this machine along, and the node may lack them: ' +
      'use the image, whose executable brings its own, or run this on the node itself with --root /',
  );
}

const UP_TO_DATE = 'it is up to date';

// The native addons of an executable with its own libraries are in the folder of these.
function planNativeCode({ layout, places, version, ...facts }: InstallFacts): readonly Operation[] {
  // If the node keeps another executable than that of the image, it may be of any version.
  const podwire = facts.programs.find(({ name }) => name === 'podwire');
  const isOurs = podwire !== undefined && [undefined, UP_TO_DATE].includes(reasonToKeep(podwire, facts));
  return [
    ...planAddons({ layout, version, ...facts }),
    ...places
      .filter(({ problem }) => problem === undefined)
      .map(({ here, onNode }): Operation => ({
        kind: 'clean-native-code',
        path: here,
        shownPath: onNode,
        program: placeOf(layout, 'programs', 'podwire').path,
        unboundFolder: isOurs ? version : undefined,
      })),
  ];
}

/** Why a program stays on the node as it is; `undefined` if it is installed. */
export function reasonToKeep(
  { name, sourceDigest, nodeDigest, isOpenToOthers }: ProgramFact,
  { skippedPrograms, updatePrograms, binding }: Pick<InstallFacts, 'skippedPrograms' | 'updatePrograms' | 'binding'>,
): string | undefined {
  if (skippedPrograms.includes(name)) return 'SKIP_CNI_BINARIES lists it';
  const isSame = nodeDigest === sourceDigest && !isOpenToOthers;
  if (isSame && (name !== 'podwire' || binding.isIntact)) return UP_TO_DATE;
  // It does not run without its libraries. To restore them is not an update.
  const lacksLibraries = isSame && binding.isOfImage;
  if (nodeDigest !== undefined && !updatePrograms && !lacksLibraries)
    return 'it exists, and UPDATE_CNI_BINARIES is false';
  return undefined;
}

function planAddons({
  layout,
  libraries,
  binding,
  version,
}: Pick<InstallFacts, 'layout' | 'libraries' | 'binding' | 'version'>): readonly Operation[] {
  if (libraries === undefined) {
    const folder = placeOf(layout, 'state', join('native', version));
    const folders = [layout.here.state, dirname(folder.path), folder.path];
    return [{ kind: 'unpack-native-code', ...folder, folders }];
  }
  if (!binding.isIntact || binding.folder === undefined) return []; // they come with the executable
  const { here, onNode } = binding.folder;
  return [{ kind: 'unpack-native-code', path: here, shownPath: onNode, folders: [dirname(here), here] }];
}

function planProgram(program: ProgramFact, facts: InstallFacts): readonly Operation[] {
  const { name, sourcePath } = program;
  const place = placeOf(facts.layout, 'programs', name);
  const why = reasonToKeep(program, facts);
  if (why !== undefined) return [{ kind: 'keep', shownPath: place.shownPath, why }];
  if (name !== 'podwire') return [{ kind: 'place-program', from: sourcePath, ...place }];
  const { libraries, places, binding } = facts;
  const replaced = binding.folder;
  return [
    // Processes of the executable that is replaced may be about to load from there.
    ...(replaced === undefined
      ? []
      : [{ kind: 'mark-as-replaced', path: replaced.here, shownPath: replaced.onNode } as const]),
    libraries === undefined
      ? { kind: 'place-program', from: sourcePath, ...place }
      : { kind: 'place-executable', from: sourcePath, ...place, libraries, places },
  ];
}

function placeOf(layout: Layout, folder: keyof Folders, name: string): { path: string; shownPath: string } {
  return { path: join(layout.here[folder], name), shownPath: join(layout.onNode[folder], name) };
}
