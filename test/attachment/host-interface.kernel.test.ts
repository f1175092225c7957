import { describe, expect, it, onTestFinished } from 'vitest';
import { ERROR_CODE } from '../../src/cni/error.ts';
import { replaceHostInterface } from '../../src/attachment/host-interface.ts';
import { openJournal } from '../../src/journal/journal.ts';
import { openKernel } from '../../src/kernel/kernel.ts';
import { attachmentFromRequest } from '../../src/plan/attachment.ts';
import { sha1 } from '../../src/system/sha1.ts';
import { makeFolder } from '../log/make-folder.ts';
import { attachment as attachmentOf, attachmentId, journalFolders } from '../support/builders/attachment.ts';
import { networkConfig } from '../support/builders/network-config.ts';
import { hostNamespace } from '../lab/namespaces/network-namespace.ts';

const WEB = { namespace: 'default', name: 'web' };
const LOG = { debug: () => undefined, info: () => undefined, warning: () => undefined, error: () => undefined };

/**
 * Replaces the host interface of a container on a node that already has one of this name. Returns true if that one
 * still exists.
 */
async function replace(
  alias: string,
  { kind = 'veth', pod = WEB }: { kind?: string; pod?: typeof WEB | undefined } = {},
) {
  const folder = makeFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  const journal = openJournal('net', LOG, journalFolders(folder.path));
  const old = attachmentOf({ id: attachmentId('c0') });
  journal.begin(old);
  const kernel = openKernel();
  onTestFinished(() => kernel[Symbol.asyncDispose]());
  const config = { ...networkConfig({ name: 'net' }), hostInterfacePrefix: 'pwhi' };
  const args = { pod, podUid: undefined, raw: '' };
  const request = { id: attachmentId('0123456789abcdef'), args, config, sandboxPath: undefined };
  const attachment = attachmentFromRequest(request, sha1);
  const planned = attachment.hostInterface;
  const host = hostNamespace();
  await host.ip('link', 'add', planned.name, 'type', kind);
  if (alias !== '') await host.ip('link', 'set', planned.name, 'alias', alias);
  const error: unknown = await replaceHostInterface(attachment, { journal, kernel, log: LOG }).catch(
    (reason: unknown) => reason,
  );
  const isThere = (await kernel.observeInterface('host', planned.name)) !== undefined;
  if (isThere) await host.ip('link', 'delete', planned.name);
  const item = journal.find(old.id);
  return { error, isThere, oldStage: item?.kind === 'record' ? item.record.stage : undefined };
}

describe('a host interface of the same name', () => {
  const replaces = (what: string, alias: string, oldStage = 'attaching') =>
    it(`is replaced: ${what}`, async () =>
      expect(await replace(alias)).toEqual({ error: undefined, isThere: false, oldStage }));
  replaces('an earlier sandbox’s of the same pod', 'podwire c0 eth0 net default/web', 'replaced');
  replaces('another plugin’s, which marks none', '');
  replaces('another plugin’s, which marks it otherwise', 'k8s pod');

  const refuses = (what: string, alias: string, overrides?: Parameters<typeof replace>[1]) =>
    it(`is refused, and stays: ${what}`, async () => {
      const { error, isThere, oldStage } = await replace(alias, overrides);
      expect({ error, isThere, oldStage }).toEqual({
        error: expect.objectContaining({ code: ERROR_CODE.interfaceTaken }),
        isThere: true,
        oldStage: 'attaching',
      });
    });
  refuses('another pod’s, whose name has the same hash', 'podwire c0 eth0 net default/other');
  refuses('no veth', '', { kind: 'bridge' });
});
