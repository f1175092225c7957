import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { openApiBudget } from '../../src/cluster/api-budget.ts';
import { finishPendingEndpoints } from '../../src/attachment/pending-endpoints.ts';
import { openJournal } from '../../src/journal/journal.ts';
import { openLoopbackCluster, WEB, type LoopbackCluster } from '../cluster/loopback-cluster.ts';
import { makeFolder } from '../log/make-folder.ts';
import { attachment, attachmentId } from '../support/builders/attachment.ts';
import { networkConfig } from '../support/builders/network-config.ts';

const PREFIX = 'cni.projectcalico.org/';

let loopback: LoopbackCluster;
beforeEach(async () => {
  loopback = await openLoopbackCluster();
  return () => loopback[Symbol.asyncDispose]();
});

/** A journal in which the endpoint of container c1 on the pod default/web remains to be cleared. */
function aJournal() {
  const folder = makeFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  const log = { debug: () => undefined, info: () => undefined, warning: () => undefined, error: () => undefined };
  const journal = openJournal('net', log, folder.path);
  journal.keepEndpoint(attachment());
  const finish = (totalMs = 2000) =>
    finishPendingEndpoints(networkConfig({ nodename: 'n1' }), openApiBudget(loopback.cluster, totalMs), {
      journal,
      log,
    });
  return { journal, finish };
}
const put = (containerId: string, uid = 'uid-1') =>
  loopback.api.putPod({
    metadata: {
      ...WEB,
      uid,
      annotations: { [`${PREFIX}containerID`]: containerId, [`${PREFIX}podIP`]: '10.0.0.5/32' },
    },
    spec: { nodeName: 'n1' },
  });
const podIp = () => loopback.api.pod('default', 'web')?.metadata.annotations?.[`${PREFIX}podIP`];

describe('finishPendingEndpoints', () => {
  const done = (what: string, prepare: () => void, expected: string | undefined) =>
    it(`removes the note when ${what}`, async () => {
      const { journal, finish } = aJournal();
      prepare();
      await finish();
      expect([podIp(), journal.listEndpoints()]).toEqual([expected, []]);
    });
  done('the endpoint is cleared', () => put('c1'), '');
  done('the endpoint is another container’s by now', () => put('c2'), '10.0.0.5/32');
  done('another pod has the name by now', () => put('c1', 'uid-2'), '10.0.0.5/32');
  done('the pod is gone', () => loopback.api.deletePod('default', 'web'), undefined);

  it('stops at the first failure and leaves the rest for a command that can reach the API', async () => {
    const { journal, finish } = aJournal();
    journal.keepEndpoint(attachment({ id: attachmentId('c2') }));
    put('c1');
    await loopback.api.setFault({ kind: 'status', status: 503 });
    const earlier = loopback.api.requests.length;
    await finish();
    expect(loopback.api.requests.length - earlier).toBeLessThanOrEqual(2);
    expect(journal.listEndpoints()).toHaveLength(2);
    await loopback.api.setFault(undefined);
    await finish();
    expect([podIp(), journal.listEndpoints()]).toEqual(['', []]);
  });

  it('leaves everything if the time for the API is used up', async () => {
    const { journal, finish } = aJournal();
    await finish(0);
    expect(journal.listEndpoints()).toHaveLength(1);
  });
});
