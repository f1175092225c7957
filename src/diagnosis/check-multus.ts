import { disableCommand } from './check-runtime.ts';
import { found, passed, skipped, type Finding } from './finding.ts';
import type { ConfigFile, NodeFacts } from './facts.ts';

/** True if Multus is among the types of the plugins of a network configuration. */
export function hasMultus({ plugins }: Pick<ConfigFile, 'plugins'>): boolean {
  return plugins.includes('multus') || plugins.includes('multus-shim');
}

/** Checks whether Multus, if the runtime calls it, delegates every pod to podwire (PW111). */
export function checkMultus({ multus, configs, folders, nodeName }: NodeFacts): Finding {
  if (configs.kind === 'unseen') return skipped('PW111', configs.why);
  if (multus === undefined) return passed('PW111', 'the runtime does not call Multus');
  const { fileName, primary } = multus;
  const restart = restartCommand(nodeName);
  if (primary.kind === 'elsewhere') return skipped('PW111', `${primary.network} is defined in the cluster, not here`);
  if (primary.kind === 'unusable') {
    return found('PW111', 'failed', 'The primary network of Multus cannot be used.', {
      evidence: [
        ['multus', `${folders.configs}/${fileName}`],
        ['problem', primary.why],
      ],
      fix: [restart],
    });
  }
  const { source, network, plugins } = primary;
  if (plugins.includes('podwire')) return passed('PW111', `Multus in ${fileName} delegates to podwire (${source})`);
  // Multus takes the first other file of the folder when it starts.
  const origin = configs.value.find((file) => file.network === network && !hasMultus(file));
  return found('PW111', 'failed', 'Multus attaches pods to another network than that of podwire.', {
    evidence: [
      ['multus', `${folders.configs}/${fileName}`],
      ['primary', `${source}: network ${network ?? 'without a name'}, ${plugins.join(' → ')}`],
    ],
    fix: [...(origin === undefined ? [] : [disableCommand(folders.configs, origin)]), restart],
  });
}

/** The command that makes Multus of a node write its configuration again. The label is that of its manifests. */
function restartCommand(nodeName: string | undefined): string {
  const node = nodeName === undefined ? '' : ` --field-selector spec.nodeName=${nodeName}`;
  return `kubectl -n kube-system delete pod -l app=multus${node}`;
}
