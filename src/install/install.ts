import type { IssuedToken } from '../cluster/token-issuer.ts';
import type { Cidr } from '../address/cidr.ts';
import { readTokenClaims } from '../cluster/credentials/secret.ts';
import { applyOperations, type ApplyIo } from './apply-operations.ts';
import { assertRunnableIpam } from './assert-runnable-ipam.ts';
import { formatKubeconfig } from './kubeconfig-text.ts';
import { nodeNameOf, readTemplate, renderForNode } from './node-config.ts';
import type { NetworkGauges } from '../metrics/metrics.ts';
import { openNodePodCidrs } from './node-pod-cidrs.ts';
import { observeFiles, observePrograms, readFileNames, requireReadable } from './observe-node.ts';
import { observeLibraries } from './own-libraries.ts';
import { planInstall, assertProgramsPresent, assertRunsOnNode } from './plan-install.ts';
import { publishMetrics } from './publish-metrics.ts';
import { PODWIRE_VERSION } from '../version.ts';
import { runWithLog, type InstallIo } from './run-with-log.ts';
import { issuePluginToken, type ApiIo } from './service-account.ts';
import { parseInstallSettings, type InstallSettings } from './settings.ts';
import { watchToken } from './watch-token.ts';

/** What installing needs from the process, and from the commands that observe a node. */
export interface InstallingIo extends InstallIo {
  /** Counts what metrics say about the networks of a node, whose file system is at `root`. */
  readonly observeNetworks: (
    root: string,
    readPodCidrs: () => Promise<readonly Cidr[]>,
  ) => Promise<readonly NetworkGauges[]>;
}

/**
 * `podwire install`: installs podwire on a node, or with `--watch` keeps the files that it has installed up to date.
 *
 * @returns the exit status
 */
export async function runInstall(io: InstallingIo): Promise<number> {
  return runWithLog(io, async (log) => {
    const settings = parseInstallSettings(io.args, io.environment);
    const apiIo = { environment: io.environment, signal: io.signal, libc: io.libc, log };
    const { watchEverySeconds } = settings;
    if (watchEverySeconds === undefined) await install(settings, io.executablePath, apiIo);
    else await watch(settings, watchEverySeconds, { ...apiIo, observeNetworks: io.observeNetworks });
  });
}

async function watch(
  settings: InstallSettings,
  everySeconds: number,
  { observeNetworks, ...io }: ApiIo & ApplyIo & Pick<InstallingIo, 'observeNetworks'>,
): Promise<void> {
  const { address, textfilePath } = settings.metrics;
  if (address === undefined && textfilePath === undefined) return watchToken(settings, everySeconds, io);
  const { makeMetrics, METRICS_MEDIA_TYPE } = await import('../metrics/metrics.ts');
  const metrics = makeMetrics();
  const readPodCidrs = openNodePodCidrs(nodeNameOf(settings), io);
  await using _published = publishMetrics({
    settings: settings.metrics,
    metrics,
    mediaType: METRICS_MEDIA_TYPE,
    stateFolder: settings.layout.here.state,
    observeNetworks: () => observeNetworks(settings.root, readPodCidrs),
    log: io.log,
  });
  await watchToken(settings, everySeconds, io, {
    renewed({ token }) {
      metrics.countRenewal('success');
      const { expiresAt } = readTokenClaims(token);
      if (expiresAt !== undefined) metrics.setTokenExpiry(expiresAt);
    },
    checked: () => metrics.setReady('ready'),
    failed() {
      metrics.countRenewal('failure');
      metrics.setReady('not ready');
    },
  });
}

// Everything is read, requested and checked before the first file is changed.
async function install(settings: InstallSettings, executablePath: string, io: ApiIo & ApplyIo): Promise<void> {
  const { layout, configName, kubeconfigName, oldConfigNames } = settings;
  const { here } = layout;
  const nodeName = nodeNameOf(settings);
  const template = await readTemplate(settings);
  await requireReadable(here.configs);
  const facts = {
    ...settings,
    ...(await observeLibraries(layout, executablePath)),
    nodePrograms: await readFileNames(here.programs),
    programs: await observePrograms(executablePath, here.programs),
    files: await observeFiles(here.configs, [kubeconfigName, configName, ...oldConfigNames]),
    version: PODWIRE_VERSION,
  };
  const config = renderForNode(settings, template, { nodeName, token: '' });
  assertRunsOnNode(facts);
  assertProgramsPresent({ ...facts, config });
  assertRunnableIpam(config, facts);
  const { token, connection, lifeMs } = await issuePluginToken(settings, nodeName, io);
  const operations = planInstall({
    ...facts,
    kubeconfig: formatKubeconfig(connection, token),
    config: renderForNode(settings, template, { nodeName, token: token.reveal() }),
  });
  await applyOperations(operations, io);
  io.log.info(
    `podwire is installed on node ${nodeName}; its token for ${settings.account} is valid for ${describeLife({ lifeMs })}`,
  );
}

function describeLife({ lifeMs }: Pick<IssuedToken, 'lifeMs'>): string {
  const minutes = Math.round(lifeMs / 60_000);
  return minutes < 180 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
