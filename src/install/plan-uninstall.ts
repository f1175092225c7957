import { join } from 'node:path';
import { InstallError } from './install-error.ts';
import { KUBECONFIG_NAME, type Layout } from './layout.ts';
import type { Operation } from './operation.ts';
import { removeAbandoned } from './plan-install.ts';

/** What podwire has on the node. */
export interface UninstallFacts {
  readonly layout: Layout;
  /** Network configurations with podwire as a plugin, whatever their file name is. */
  readonly configNames: readonly string[];
  readonly hasKubeconfig: boolean;
  readonly hasProgram: boolean;
  /** The folders of native code, relative to the folder of the state. */
  readonly nativeFolders: readonly string[];
  readonly hasLibrariesBesidePrograms: boolean;
  /** Attachments, which only podwire can remove. */
  readonly attachmentCount: number;
  /** The folders of networks without a record, relative to the folder of the state. */
  readonly emptyNetworks: readonly string[];
  /** Network configurations of other plugins, which the runtime can use once podwire is removed. */
  readonly otherConfigNames: readonly string[];
  /** Folders that are removed with all that is in them. */
  readonly purgedFolders: readonly { readonly path: string; readonly shownPath: string }[];
}

/**
 * Removes the network configurations first, so that the runtime never calls a missing program, and the program almost
 * last: it may be the program that is carrying this out, and is needed to run it again. Only its libraries come after it,
 * because it does not run without them. Plugins of the CNI project are kept, because other networks of the node may use
 * them.
 */
export function planUninstall(facts: UninstallFacts): readonly Operation[] {
  const { here, onNode } = facts.layout;
  const remove = (folder: 'configs' | 'programs', name: string): Operation => ({
    kind: 'remove-file',
    path: join(here[folder], name),
    shownPath: join(onNode[folder], name),
  });
  const removeFolder = (folder: 'state' | 'programs', name: string): Operation => ({
    kind: 'remove-folder',
    path: join(here[folder], name),
    shownPath: join(onNode[folder], name),
  });
  return [
    ...(['programs', 'configs'] as const).map((folder) => removeAbandoned(facts.layout, folder)),
    ...facts.configNames.map((name) => remove('configs', name)),
    ...(facts.hasKubeconfig ? [remove('configs', KUBECONFIG_NAME)] : []),
    ...facts.emptyNetworks.map((name) => removeFolder('state', name)),
    { kind: 'remove-folder-if-empty', path: join(here.state, 'networks'), shownPath: join(onNode.state, 'networks') },
    ...(facts.hasProgram ? [remove('programs', 'podwire')] : []),
    ...facts.nativeFolders.map((name) => removeFolder('state', name)),
    ...(facts.hasLibrariesBesidePrograms ? [removeFolder('programs', '.podwire')] : []),
    { kind: 'remove-folder-if-empty', path: here.state, shownPath: onNode.state },
    ...facts.purgedFolders.map((folder): Operation => ({ kind: 'remove-folder', ...folder })),
  ];
}

/** Whether anything of podwire is on the node, apart from what an interrupted installation has left. */
export function isInstalled(facts: UninstallFacts): boolean {
  const { configNames, hasKubeconfig, hasProgram, hasLibrariesBesidePrograms, nativeFolders } = facts;
  return configNames.length + nativeFolders.length > 0 || hasKubeconfig || hasProgram || hasLibrariesBesidePrograms;
}

/** Why podwire cannot be removed yet, as far as the node itself shows; `undefined`: nothing is attached. */
export function describeWait({ attachmentCount }: Pick<UninstallFacts, 'attachmentCount'>): string | undefined {
  if (attachmentCount === 0) return undefined;
  return (
    `${countAttachments(attachmentCount)} still recorded, and only podwire can remove them: drain the node; ` +
    'pods of DaemonSets on the pod network, which drain leaves, must be deleted or be started again by the other network'
  );
}

function countAttachments(count: number): string {
  return count === 1 ? '1 attachment is' : `${count} attachments are`;
}

/**
 * @throws {InstallError} if there are attachments, which nothing could remove once podwire is removed
 */
export function assertNothingAttached({ attachmentCount, layout }: UninstallFacts): void {
  if (attachmentCount === 0) return;
  throw new InstallError(
    `${countAttachments(attachmentCount)} still recorded in ${layout.onNode.state}, and only podwire can remove them; nothing was removed: ` +
      'give the node another network configuration, drain it, and run this again; or add --force, which leaves them on the node',
  );
}
