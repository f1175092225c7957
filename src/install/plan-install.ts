import { join } from 'node:path';
import { makeSecret, type Secret } from '../cluster/credentials/secret.ts';
import { InstallError } from './install-error.ts';
import type { Folders, Layout } from './layout.ts';
import type { RenderedConfig } from './netconf-template.ts';
import type { Operation } from './operation.ts';

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

export interface InstallFacts extends FileFacts {
  readonly programs: readonly ProgramFact[];
  /** Every file name in the node's folder of plugins. */
  readonly nodePrograms: ReadonlySet<string>;
  readonly skippedPrograms: readonly string[];
  readonly updatePrograms: boolean;
  readonly oldConfigNames: readonly string[];
  readonly hasStateFolder: boolean;
  /** The version of the executable in the image. */
  readonly version: string;
}

/**
 * First the programs, then the kubeconfig, then the network configuration: as soon as the runtime sees that, it calls
 * the programs. Old network configurations are removed last, so that there is always one. Native code of other versions is
 * removed once no new process uses it.
 */
export function planInstall(facts: InstallFacts): readonly Operation[] {
  const { layout, hasStateFolder, oldConfigNames, configName, files } = facts;
  const native = placeOf(layout, 'state', 'native');
  return [
    ...(['programs', 'configs'] as const).map((folder) => removeAbandoned(layout, folder)),
    ...facts.programs.map((program) => planProgram(program, facts)),
    ...(hasStateFolder
      ? ([
          { kind: 'unpack-native-code', ...native },
          { kind: 'clean-native-code', ...native, usedFolder: folderInUse(facts) },
        ] as const)
      : [{ kind: 'keep', shownPath: native.shownPath, why: NOT_MOUNTED } as const]),
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

const UP_TO_DATE = 'it is up to date';
const NOT_MOUNTED = 'it is not mounted here; the first pod creates it';

// If the node keeps another executable than that of the image, it may be of any version.
function folderInUse(facts: InstallFacts): string | undefined {
  const podwire = facts.programs.find(({ name }) => name === 'podwire');
  const why = podwire === undefined ? 'it is missing' : reasonToKeep(podwire, facts);
  return why === undefined || why === UP_TO_DATE ? facts.version : undefined;
}

/** Why a program stays on the node as it is; `undefined` if it is installed. */
export function reasonToKeep(
  { name, sourceDigest, nodeDigest, isOpenToOthers }: ProgramFact,
  { skippedPrograms, updatePrograms }: Pick<InstallFacts, 'skippedPrograms' | 'updatePrograms'>,
): string | undefined {
  if (skippedPrograms.includes(name)) return 'SKIP_CNI_BINARIES lists it';
  if (nodeDigest === sourceDigest && !isOpenToOthers) return UP_TO_DATE;
  if (nodeDigest !== undefined && !updatePrograms) return 'it exists, and UPDATE_CNI_BINARIES is false';
  return undefined;
}

function planProgram(program: ProgramFact, facts: InstallFacts): Operation {
  const { name, sourcePath } = program;
  const place = placeOf(facts.layout, 'programs', name);
  const why = reasonToKeep(program, facts);
  if (why !== undefined) return { kind: 'keep', shownPath: place.shownPath, why };
  return { kind: 'place-program', from: sourcePath, ...place, nodeRoot: facts.layout.nodeRoot };
}

function placeOf(layout: Layout, folder: keyof Folders, name: string): { path: string; shownPath: string } {
  return { path: join(layout.here[folder], name), shownPath: join(layout.onNode[folder], name) };
}
