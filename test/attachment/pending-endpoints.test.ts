import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { openAgent } from '../../src/agent/agent.ts';
import { openApiBudget } from '../../src/cluster/api-budget.ts';
import { finishPendingEndpoints } from '../../src/attachment/pending-endpoints.ts';
import { openJournal } from '../../src/journal/journal.ts';
import { openLoopbackCluster, WEB, type LoopbackCluster } from '../cluster/loopback-cluster.ts';
import { makeFolder } from '../log/make-folder.ts';
import { attachment, attachmentId, journalFolders } from '../support/builders/attachment.ts';
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
  const journal = openJournal('net', log, journalFolders(folder.path));
  journal.keepEndpoint(attachment());
  const finish = (totalMs = 2000) =>
    finishPendingEndpoints(openApiBudget(loopback.cluster, totalMs), {
      agent: openAgent(networkConfig({ nodename: 'n1' })),
      journal,
      log,
    });
  return { journal, finish, path: join(folder.path, 'networks/net', 'c1@eth0.endpoint.json') };
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

  it('stops if the API cannot be reached, and leaves the rest for a later command', async () => {
    const { journal, finish } = aJournal();
    journal.keepEndpoint(attachment({ id: attachmentId('c2') }));
    put('c1');
    await loopback.api.setFault({ kind: 'refuse' });
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

  it('continues after an endpoint that the API server refuses to clear, which stays noted', async () => {
    const { journal, finish } = aJournal();
    const other = attachment({
      id: attachmentId('c0'),
      pod: { namespace: 'default', name: 'refused', uid: undefined },
    });
    journal.keepEndpoint(other);
    put('c1');
    await loopback.api.setFault({ kind: 'status', status: 403 }, { path: '/pods/refused' });
    await finish();
    expect(podIp()).toBe('');
    expect(journal.listEndpoints().map(({ id }) => id.containerId)).toEqual(['c0']);
  });

  it('gives up on an endpoint that the API server has refused to clear for more than 24 hours', async () => {
    const { journal, finish, path } = aJournal();
    await loopback.api.setFault({ kind: 'status', status: 403 });
    utimesSync(path, 0, Date.now() / 1000 - 25 * 60 * 60);
    await finish();
    expect(journal.listEndpoints()).toEqual([]);
  });
});
