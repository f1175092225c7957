import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { untilAllowed } from '../../lab/api-server/access-review.ts';
import { member } from '../../lab/member.ts';
import { until } from '../../lab/until.ts';
import { startApiServerNode, type ApiServerNode } from '../../support/nodes/api-server-node.ts';
import { makeTestPod } from '../../support/nodes/test-pod.ts';
import { applyManifest, readManifest } from '../../support/servers/manifest.ts';
import { expectNoLeftovers } from '../../support/suite/hooks.ts';

let node: ApiServerNode;
beforeAll(async () => {
  node = await startApiServerNode();
});
afterAll(() => node[Symbol.asyncDispose]());
expectNoLeftovers(() => node);

const EVENTS = '/api/v1/namespaces/default/events';
const REFUSED = { annotations: { 'cni.projectcalico.org/hwAddr': 'no-mac' } };

async function listEvents(): Promise<readonly unknown[]> {
  const items: unknown = member(await node.cluster.admin.get(EVENTS), 'items');
  const list: readonly unknown[] = Array.isArray(items) ? items : [];
  return list;
}

/** Runs an ADD that is refused, and its DEL. */
async function refuse(name: string, annotations = REFUSED.annotations) {
  await using pod = await makeTestPod(node, { name, annotations });
  const config = node.netconf({ log_level: 'debug' });
  const answers = [
    await node.run({ ...pod.call, config, verb: 'ADD' }),
    await node.run({ ...pod.call, config, verb: 'ADD' }),
  ];
  await node.run({ ...pod.call, config, verb: 'DEL' });
  return { answers, uid: pod.uid };
}

describe('an ADD that is refused because of an annotation', () => {
  it('without the right to write events answers as ever, and writes none', async () => {
    const { answers } = await refuse('web');
    for (const { exitCode, answer, stderr } of answers) {
      expect({ exitCode, answer }).toMatchObject({ exitCode: 1, answer: { code: 105 } });
      expect(stderr).toContain('DEBUG the API server answered 403 to an event about this refusal');
    }
    expect(await listEvents()).toEqual([]);
  });

  describe('with the right', () => {
    beforeAll(async () => {
      await applyManifest(node.cluster.admin, readManifest('cni-conf/monitoring/events/events.yaml'), 'keep');
      await untilAllowed(node.cluster.admin, node.account.userName, {
        verb: 'create',
        resource: 'events',
        namespace: 'default',
      });
      using plugin = node.account.makeClient();
      const foreign = { metadata: { name: 'a', namespace: 'default' }, involvedObject: { namespace: 'default' } };
      await until('the policy is in force', () =>
        plugin.create(`${EVENTS}?dryRun=All`, foreign).then(
          () => false,
          (error: unknown) => String(error).includes('podwire may write only Events'),
        ),
      );
    });

    it('says so on the Pod, once', async () => {
      const { answers, uid } = await refuse('web');
      expect(answers.map(({ answer }) => answer?.['code'])).toEqual([105, 105]);
      expect(answers.map(({ stderr }) => /answered (\d+) to an event/.exec(stderr)?.[1])).toEqual(['201', '409']);
      expect(await listEvents()).toEqual([
        expect.objectContaining({
          type: 'Warning',
          reason: 'NetworkRefused',
          message: expect.stringContaining('cannot apply the pod annotation cni.projectcalico.org/hwAddr'),
          involvedObject: expect.objectContaining({ kind: 'Pod', namespace: 'default', name: 'web', uid }),
          source: { component: 'podwire', host: 'node-1' },
        }),
      ]);
    });

    it('an event of another node, program or kind is refused', async () => {
      using plugin = node.account.makeClient();
      const event = {
        metadata: { name: 'b', namespace: 'default' },
        involvedObject: { kind: 'Pod', namespace: 'default', name: 'web', uid: 'u' },
        type: 'Warning',
        reason: 'NetworkRefused',
        source: { component: 'podwire', host: 'node-1' },
        reportingComponent: 'podwire',
        reportingInstance: 'node-1',
      };
      const refusalOf = (overrides: object) =>
        plugin.create(`${EVENTS}?dryRun=All`, { ...event, ...overrides }).then(() => 'accepted', String);
      expect(await refusalOf({})).toBe('accepted');
      for (const overrides of [
        { source: { component: 'podwire', host: 'node-2' } },
        { source: { component: 'kubelet', host: 'node-1' } },
        { reportingComponent: 'kubelet' },
        { reason: 'Killing' },
        { involvedObject: { kind: 'Node', name: 'node-1', namespace: 'default', uid: 'u' } },
      ]) {
        expect(await refusalOf(overrides)).toContain('podwire may write only Events');
      }
    });
  });
});
