import { isNodeCordoned } from '../cluster/node-cordon.ts';
import { startDeadline } from '../cluster/wire/deadline.ts';
import { pause } from '../system/pause.ts';
import { formatExplainedError, InstallError, isExplained } from './install-error.ts';
import { describeWait, type UninstallFacts } from './plan-uninstall.ts';
import { type ApiIo, installerApi } from './service-account.ts';

const EVERY_MS = 5000;
const REQUEST_MS = 30_000;

/**
 * Waits until podwire can be removed from the node without a pod or the scheduler being surprised: nothing is attached,
 * and the node either has another network configuration or is cordoned. Logs each new reason to wait.
 *
 * @param observe what is on the node now
 * @throws {InstallError} if the signal is aborted first
 */
export async function waitUntilRemovable<Facts extends UninstallFacts>(
  observe: () => Promise<Facts>,
  nodeName: string,
  io: ApiIo,
  everyMs: number = EVERY_MS,
): Promise<Facts> {
  for (let last: string | undefined; ;) {
    const facts = await observe();
    const reason = describeWait(facts) ?? (await reasonOfNode(facts, nodeName, io));
    if (reason === undefined) return facts;
    if (reason !== last) io.log.info(`waiting, nothing is removed yet: ${reason}`);
    last = reason;
    await pause(everyMs, io.signal).catch(() => undefined);
    if (io.signal.aborted) throw new InstallError('stopped while waiting; nothing was removed');
  }
}

/** The API server is asked only if the node would be without a network. */
async function reasonOfNode(
  { otherConfigNames }: UninstallFacts,
  nodeName: string,
  io: ApiIo,
): Promise<string | undefined> {
  if (otherConfigNames.length > 0) return undefined;
  try {
    using deadline = startDeadline(REQUEST_MS, io.signal);
    if (await isNodeCordoned(installerApi(io), nodeName, deadline)) return undefined;
    return (
      `node ${nodeName} has no other network configuration and is not cordoned: ` +
      `install the other network first, or announce that the node will have none with "kubectl drain ${nodeName} --ignore-daemonsets"`
    );
  } catch (error) {
    if (!isExplained(error)) throw error;
    return `cannot find out whether node ${nodeName} is cordoned: ${formatExplainedError(error)}`;
  }
}
