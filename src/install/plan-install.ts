import { join } from 'node:path';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import { makeSecret, type Secret } from '../cluster/credentials/secret.ts';
import type { Folders, Layout } from './layout.ts';
import type { RenderedConfig } from './netconf-template.ts';
import { removeLeftovers, type Operation } from './operation.ts';

/** A program that the image carries, and what the node has of that name. */
export interface ProgramFact {
  readonly name: string;
  readonly sourcePath: string;
  readonly sourceDigest: string;
  /** Undefined: there is none. */
  readonly nodeDigest: string | undefined;
}

/** What stands on the node under a file's name. */
export interface FileFact {
  readonly text: string;
  readonly mode: number;
}

/** What the files are to be, and what they are. */
export interface FileFacts {
  readonly layout: Layout;
  readonly configName: string;
  readonly kubeconfigName: string;
  readonly kubeconfig: Secret;
  /** Undefined: no network configuration is asked for. */
  readonly config: RenderedConfig | undefined;
  /** By file name in the folder of configurations. */
  readonly files: ReadonlyMap<string, FileFact>;
}

export interface InstallFacts extends FileFacts {
  readonly programs: readonly ProgramFact[];
  /** All file names in the node's folder of plugins. */
  readonly nodePrograms: ReadonlySet<string>;
  readonly skippedPrograms: readonly string[];
  readonly updatePrograms: boolean;
  readonly oldConfigNames: readonly string[];
  readonly hasStateFolder: boolean;
  /** Left by an installer that was killed. */
  readonly leftovers: readonly string[];
}

/**
 * Programs, then the kubeconfig, then the network configuration: as soon as the runtime sees that, it calls the programs.
 * Old configurations go last, so that there is always one.
 */
export function planInstall(facts: InstallFacts): readonly Operation[] {
  const { layout, hasStateFolder, leftovers, oldConfigNames, configName, files } = facts;
  const native = join(layout.here.state, 'native');
  const shownNative = join(layout.onNode.state, 'native');
  return [
    ...removeLeftovers(leftovers),
    ...facts.programs.map((program) => planProgram(program, facts)),
    hasStateFolder
      ? { kind: 'unpack-native-code', folder: native, shownPath: shownNative }
      : { kind: 'keep', shownPath: shownNative, why: 'it is not mounted here: written at the first pod' },
    ...planFiles(facts),
    ...oldConfigNames
      .filter((name) => name !== configName && files.has(name))
      .map((name): Operation => ({ kind: 'remove', ...placeOf(layout, 'configs', name) })),
  ];
}

/** The kubeconfig and the network configuration, where they are not yet what they are to be. */
export function planFiles({
  layout,
  configName,
  kubeconfigName,
  kubeconfig,
  config,
  files,
}: FileFacts): readonly Operation[] {
  const wanted = [{ name: kubeconfigName, text: kubeconfig, mode: 0o600 }];
  if (config !== undefined) {
    const text = makeSecret(config.text, 'the network configuration');
    wanted.push({ name: configName, text, mode: config.holdsToken ? 0o600 : 0o644 });
  }
  return wanted.map(({ name, text, mode }): Operation => {
    const place = placeOf(layout, 'configs', name);
    const there = files.get(name);
    return there?.text === text.reveal() && there.mode === mode
      ? { kind: 'keep', shownPath: place.shownPath, why: 'unchanged' }
      : { kind: 'write-file', ...place, text, mode };
  });
}

/**
 * A network configuration whose programs are missing would make the node Ready, and each of its pods fail.
 *
 * @throws {CniError} 50 naming them and what to do
 */
export function assertProgramsPresent(
  facts: Pick<InstallFacts, 'programs' | 'nodePrograms' | 'skippedPrograms' | 'config' | 'layout'>,
): void {
  const placed = facts.programs.map(({ name }) => name).filter((name) => !facts.skippedPrograms.includes(name));
  const missing = (facts.config?.programs ?? []).filter(
    (name) => !placed.includes(name) && !facts.nodePrograms.has(name),
  );
  if (missing.length === 0) return;
  const folder = facts.layout.onNode.programs;
  throw new CniError(
    ERROR_CODE.notAvailable,
    `the network configuration needs ${missing.join(' and ')}, which neither this image nor ${folder} on the node has: ` +
      `install the package containernetworking-plugins there, take them out of SKIP_CNI_BINARIES, or out of the configuration`,
  );
}

function planProgram(program: ProgramFact, facts: InstallFacts): Operation {
  const { name, sourcePath, sourceDigest, nodeDigest } = program;
  const place = placeOf(facts.layout, 'programs', name);
  const keep = (why: string): Operation => ({ kind: 'keep', shownPath: place.shownPath, why });
  if (facts.skippedPrograms.includes(name)) return keep('SKIP_CNI_BINARIES names it');
  if (nodeDigest === sourceDigest) return keep('unchanged');
  if (nodeDigest !== undefined && !facts.updatePrograms) return keep('it is there, and UPDATE_CNI_BINARIES is false');
  return { kind: 'place-program', from: sourcePath, ...place, nodeRoot: facts.layout.nodeRoot };
}

function placeOf(layout: Layout, folder: keyof Folders, name: string): { path: string; shownPath: string } {
  return { path: join(layout.here[folder], name), shownPath: join(layout.onNode[folder], name) };
}
