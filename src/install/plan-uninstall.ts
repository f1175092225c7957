import { join } from 'node:path';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import { KUBECONFIG_NAME, type Layout } from './layout.ts';
import { removeLeftovers, type Operation } from './operation.ts';

/** What is on the node of all that could be removed. */
export interface UninstallFacts {
  readonly layout: Layout;
  /** Configurations that name podwire as a plugin, whatever their file is called. */
  readonly configNames: readonly string[];
  readonly hasKubeconfig: boolean;
  readonly hasProgram: boolean;
  readonly hasNativeCode: boolean;
  readonly leftovers: readonly string[];
  /** Attachments that only podwire can take down. */
  readonly attachmentCount: number;
  /** Networks whose folder in the journal has no record. */
  readonly emptyNetworks: readonly string[];
}

/**
 * What the runtime sees goes first, so that it never calls a program that is gone, and the program last: it may be what carries
 * this out, and is to be there to be run again. Plugins of the CNI project stay: other networks of the node may use them.
 */
export function planUninstall(facts: UninstallFacts): readonly Operation[] {
  const { here, onNode } = facts.layout;
  const remove = (folder: 'configs' | 'programs', name: string): Operation => ({
    kind: 'remove',
    path: join(here[folder], name),
    shownPath: join(onNode[folder], name),
  });
  const removeState = (name: string): Operation => ({
    kind: 'remove-folder',
    path: join(here.state, name),
    shownPath: join(onNode.state, name),
  });
  return [
    ...facts.configNames.map((name) => remove('configs', name)),
    ...(facts.hasKubeconfig ? [remove('configs', KUBECONFIG_NAME)] : []),
    ...(facts.hasNativeCode ? [removeState('native')] : []),
    ...facts.emptyNetworks.map(removeState),
    ...removeLeftovers(facts.leftovers),
    { kind: 'remove-folder-if-empty', path: here.state, shownPath: onNode.state },
    ...(facts.hasProgram ? [remove('programs', 'podwire')] : []),
  ];
}

/**
 * @throws {CniError} 11 when pods would be left that nobody can take down
 */
export function refuseWhileAttached({ attachmentCount, layout }: UninstallFacts): void {
  if (attachmentCount === 0) return;
  const pods = attachmentCount === 1 ? '1 attachment is' : `${attachmentCount} attachments are`;
  throw new CniError(
    ERROR_CODE.tryAgainLater,
    `${pods} still recorded in ${layout.onNode.state}, and only podwire can take them down; nothing was removed: ` +
      'give the node another network configuration, drain it, and run this again; or add --force, which leaves them behind',
  );
}
