import { found, passed, skipped, type Finding } from './finding.ts';
import type { ConfigFile, NodeFacts, ProgramFact } from './facts.ts';
import { formatMoment } from './format-time.ts';

/** Checks what the container runtime uses: its folders, the network configuration and the plugins (PW101 to PW108). */
export function checkRuntime(facts: NodeFacts): readonly Finding[] {
  return [
    checkFolders(facts),
    checkConfig(facts),
    ...checkPrograms(facts),
    checkNative(facts),
    checkVersions(facts),
    ...checkOtherConfigs(facts),
    checkVersion(facts),
    checkDenials(facts),
  ];
}

/** A denial that is older may have been corrected. */
const MAX_DENIAL_AGE_MS = 15 * 60_000;

function checkDenials({ machine: { denials }, folders, nowMs }: NodeFacts): Finding {
  if (denials.kind === 'unseen') return skipped('PW108', denials.why);
  const recent = denials.value.filter(({ atMs }) => nowMs - atMs < MAX_DENIAL_AGE_MS);
  const last = recent.at(-1);
  if (last === undefined) return passed('PW108', 'SELinux has denied nothing in the last 15 minutes');
  return found(
    'PW108',
    'warning',
    `SELinux has denied ${recent.length === 1 ? 'an operation' : `${recent.length} operations`} of podwire.`,
    {
      evidence: [
        ['last', `${last.what} of ${last.object}, ${formatMoment(last.atMs, nowMs)}`],
        ['its label', last.label],
      ],
      fix: [
        `restorecon -Rv ${quoteForShell(`${folders.programs}/podwire`)} ${quoteForShell(folders.configs)} /var/lib/podwire /var/lib/cni`,
      ],
    },
  );
}

function checkFolders({ folders, runtime }: NodeFacts): Finding {
  if (runtime.kind === 'unseen') return skipped('PW101', runtime.why);
  const used = runtime.value.folders;
  if (used === undefined) return skipped('PW101', `${runtime.value.name} does not say which folders it uses`);
  const usesConfigs = used.configs === folders.configs;
  const usesPrograms = used.programs.includes(folders.programs);
  if (usesConfigs && usesPrograms) {
    return passed('PW101', `${runtime.value.name} uses ${folders.configs} and ${folders.programs}`);
  }
  return found('PW101', 'failed', `${runtime.value.name} uses other folders than those that podwire is installed in.`, {
    evidence: [
      ['runtime', `${used.configs}, ${used.programs.join(':')}`],
      ['podwire', `${folders.configs}, ${folders.programs}`],
    ],
    fix: [
      `kubectl -n kube-system set env daemonset/podwire CNI_NET_DIR=${used.configs} CNI_BIN_DIR=${used.programs[0] ?? folders.programs}`,
    ],
  });
}

function checkConfig({ folders, configs, own, nodeName }: NodeFacts): Finding {
  if (configs.kind === 'unseen') return skipped('PW102', configs.why);
  if (own.kind === 'absent') {
    const broken = configs.value.find(({ problem }) => problem !== undefined);
    return found('PW102', 'failed', `${folders.configs} has no network configuration for podwire.`, {
      evidence: [
        ['files', configs.value.map(({ name }) => name).join(', ') || 'none'],
        ['invalid', broken && `${broken.name}: ${broken.problem}`],
      ],
      fix: [reinstallCommand(nodeName)],
    });
  }
  if (own.kind === 'invalid') {
    return found('PW102', 'failed', `${own.fileName} is invalid.`, {
      evidence: [
        ['problem', own.error.message],
        ['file', `${folders.configs}/${own.fileName}`],
      ],
      fix: [reinstallCommand(nodeName)],
    });
  }
  const { plugins = [] } = configs.value.find(({ name }) => name === own.fileName) ?? {};
  return passed('PW102', `${own.fileName} is valid: network ${own.config.name}, ${plugins.join(' → ')}`);
}

function checkPrograms({ programs, nodeName }: NodeFacts): readonly Finding[] {
  if (programs.kind === 'unseen') return [skipped('PW103', programs.why), skipped('PW104', programs.why)];
  const missing = programs.value.filter(({ problem }) => problem?.kind === 'missing');
  const broken = programs.value.filter(({ problem }) => problem !== undefined && problem.kind !== 'missing');
  return [
    missing.length === 0
      ? passed('PW103', `all ${programs.value.length} plugins are installed`)
      : found('PW103', 'failed', `${listTypes(missing)} ${missing.length === 1 ? 'is' : 'are'} missing.`, {
          evidence: missing.map(({ problem }) => ['searched', problem?.text]),
          fix: [reinstallCommand(nodeName)],
        }),
    broken.length === 0
      ? passed('PW104', 'every plugin runs, and only root can change it')
      : found('PW104', 'failed', `${listTypes(broken)} cannot run.`, {
          evidence: broken.map(({ type, problem }) => [type, problem?.text]),
          fix: [
            ...new Set(broken.flatMap(({ problem }) => problem?.fix ?? [])),
            ...(broken.some(({ problem }) => problem?.kind === 'loader') ? [reinstallCommand(nodeName)] : []),
          ],
        }),
  ];
}

function checkNative({ machine: { nativeFolder } }: NodeFacts): Finding {
  if (nativeFolder.kind === 'unseen') return skipped('PW109', nativeFolder.why);
  const { folder, problem, fix } = nativeFolder.value;
  if (problem === undefined) return passed('PW109', `native code of podwire can be loaded from ${folder}`);
  return found('PW109', 'failed', 'The native code of podwire cannot be loaded.', {
    evidence: [
      ['folder', folder],
      ['problem', problem],
    ],
    fix,
  });
}

/** host-local and podwire negotiate their version; libcni passes that of the configuration to the other plugins. */
function checkVersions({ programs, configs, own, nodeName }: NodeFacts): Finding {
  if (programs.kind === 'unseen') return skipped('PW110', programs.why);
  if (configs.kind === 'unseen') return skipped('PW110', configs.why);
  // PW102 reports that.
  if (own.kind === 'absent') return passed('PW110', 'podwire has no network configuration');
  const file = configs.value.find(({ name }) => name === own.fileName);
  const version = file?.cniVersion;
  if (file === undefined || version === undefined) return skipped('PW110', 'the configuration has no cniVersion');
  const tooOld = programs.value.filter(
    ({ type, versions }) => file.plugins.includes(type) && versions.length > 0 && !versions.includes(version),
  );
  if (tooOld.length === 0) return passed('PW110', `every plugin of the list supports cniVersion ${version}`);
  return found(
    'PW110',
    'failed',
    `${listTypes(tooOld)} ${tooOld.length === 1 ? 'does' : 'do'} not support cniVersion ${version}.`,
    {
      evidence: tooOld.map(({ path, versions }) => ['plugin', `${path} supports up to ${versions.at(-1)}`]),
      fix: [reinstallCommand(nodeName)],
    },
  );
}

function listTypes(programs: readonly ProgramFact[]): string {
  return programs.length === 1
    ? `The plugin ${programs[0]?.type}`
    : `The plugins ${programs.map(({ type }) => type).join(', ')}`;
}

// Multus reads the other configurations itself.
const META_PLUGINS: ReadonlySet<string> = new Set(['multus', 'multus-shim', 'genie']);

/** Plugins that make the network of a cluster. Others, such as a bridge of podman, are for other programs. */
const POD_NETWORKS: ReadonlySet<string> = new Set([
  ...META_PLUGINS,
  'antrea',
  'aws-cni',
  'azure-vnet',
  'calico',
  'cilium-cni',
  'flannel',
  'kindnet',
  'kube-router',
  'ovn-k8s-cni-overlay',
  'weave-net',
]);

function checkOtherConfigs({ folders, configs, own }: NodeFacts): readonly Finding[] {
  if (configs.kind === 'unseen') return [skipped('PW105', configs.why), skipped('PW106', configs.why)];
  if (own.kind === 'absent') return [];
  const usable = configs.value.filter(({ problem }) => problem === undefined || problem === '');
  const position = usable.findIndex(({ name }) => name === own.fileName);
  const earlier = usable.slice(0, Math.max(0, position));
  const [first] = usable;
  const callsMeta = first?.plugins.some((type) => META_PLUGINS.has(type)) === true;
  // A meta plugin that comes first decides which file is used next (PW111).
  const wrong = callsMeta ? [] : earlier;
  const later = usable.slice(position + 1).filter(({ network, plugins }) => isLeftover(network, plugins, own));
  return [
    wrong.length === 0
      ? passed('PW105', `the runtime uses ${first?.name ?? own.fileName}, the first of ${configs.value.length}`)
      : found('PW105', 'failed', `The runtime uses ${wrong[0]?.name}, which comes before ${own.fileName}.`, {
          evidence: wrong.map((file) => ['in use', describeFile(file)]),
          fix: wrong.map((file) => disableCommand(folders.configs, file)),
        }),
    later.length === 0
      ? passed('PW106', 'no other pod network is configured')
      : found('PW106', 'warning', `${later.map(({ name }) => name).join(', ')} of another pod network is left over.`, {
          evidence: later.map((file) => ['left over', describeFile(file)]),
          fix: later.map((file) => disableCommand(folders.configs, file)),
        }),
  ];
}

function isLeftover(
  network: string | undefined,
  plugins: readonly string[],
  own: Exclude<NodeFacts['own'], { kind: 'absent' }>,
): boolean {
  const isSameNetwork = own.kind === 'valid' && network === own.config.name;
  return isSameNetwork || plugins.includes('podwire') || plugins.some((type) => POD_NETWORKS.has(type));
}

function describeFile({ name, network, plugins }: ConfigFile): string {
  return `${name}: network ${network ?? 'without a name'}, ${plugins.join(' → ')}`;
}

// Runtimes read .conf, .conflist and .json only.
/** The command that hides a file from runtimes. */
export function disableCommand(folder: string, { name }: ConfigFile): string {
  return `mv ${quoteForShell(`${folder}/${name}`)} ${quoteForShell(`${folder}/${name}.disabled`)}`;
}

function checkVersion({ machine, nodeName }: NodeFacts): Finding {
  if (machine.isSameProgram === undefined) return skipped('PW107', 'the installed executable cannot be read from here');
  if (machine.isSameProgram) return passed('PW107', 'the installed executable is this program');
  return found('PW107', 'warning', 'The installed executable is another version than this program.', {
    fix: [reinstallCommand(nodeName)],
  });
}

/** The command that makes the installer of a node run again. */
export function reinstallCommand(nodeName: string | undefined): string {
  const node = nodeName === undefined ? '' : ` --field-selector spec.nodeName=${nodeName}`;
  return `kubectl -n kube-system delete pod -l app.kubernetes.io/name=podwire${node}`;
}

/** Text as one word of a shell command. */
export function quoteForShell(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
