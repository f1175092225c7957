import { describe, expect, it } from 'vitest';
import type { CniArgs } from '../../src/cni/cni-args.ts';
import type { DelRequest } from '../../src/netconf/request.ts';
import {
  planDetachment,
  planLabelledDetachment,
  planRecordedDetachment,
  planUndo,
  type Detachment,
  type KnownAttachment,
} from '../../src/plan/detachment.ts';
import { attachment, attachmentId, sha1 } from '../support/builders/attachment.ts';
import { networkConfig } from '../support/builders/network-config.ts';

const ARGS: CniArgs = { pod: { namespace: 'default', name: 'web' }, podUid: 'uid-2', raw: 'from the request' };
const NO_ARGS: CniArgs = { pod: undefined, podUid: undefined, raw: 'from the request' };
const RESULT = { interfaces: [{ name: 'caliresult' }, { name: 'eth0', sandbox: '/run/netns/web' }], ips: [] };

/** A DEL of container c1 with the configuration of network `net`, except for `overrides`. */
function request({
  prevResult,
  ...overrides
}: Partial<DelRequest> & { readonly prevResult?: typeof RESULT } = {}): DelRequest {
  const config = networkConfig({ name: 'net', ...(prevResult && { prevResult }) });
  const fromRuntime = { sandboxPath: undefined, mayUseOwnNetns: false, ignored: [], pluginPath: [] };
  return { verb: 'DEL', id: attachmentId(), args: ARGS, config, ...fromRuntime, ...overrides };
}

/** The record of container c1, with a host interface and CNI_ARGS that no request would give. */
const recorded = attachment({ hostInterfaceName: 'calirecord', cniArgs: 'from the record' });
type Recorded = Extract<KnownAttachment, { kind: 'recorded' }>;
const record = (overrides: Partial<Recorded> = {}): Recorded => ({
  kind: 'recorded',
  attachment: recorded,
  stage: 'attached',
  isInProgress: false,
  ...overrides,
});
const UNKNOWN: KnownAttachment = { kind: 'labelled', labelled: [] };
const labelled = attachment({ hostInterfaceName: 'calilabelled', cniArgs: '', sandboxPath: '' });
const LABELLED: KnownAttachment = { kind: 'labelled', labelled: [labelled] };

describe('planDetachment', () => {
  const plans = (
    what: string,
    del: DelRequest,
    known: KnownAttachment,
    expected: (plan: Detachment) => unknown,
    value: unknown,
  ) => it(what, () => expect(expected(planDetachment(del, known, sha1))).toEqual(value));

  const names = (plan: Detachment) => plan.hostInterfaceNames;
  plans('without a record computes the name of the host interface', request(), UNKNOWN, names, ['cali68caf03a5f4']);
  plans('with a record uses the recorded name', request(), record(), names, ['calirecord']);
  plans('without a record uses the labelled names', request(), LABELLED, names, ['calilabelled']);
  plans('adds the host interfaces of prevResult', request({ prevResult: RESULT }), record(), names, [
    'calirecord',
    'caliresult',
  ]);

  plans(
    'has no host interface after a newer sandbox of the pod has replaced it',
    request({ prevResult: RESULT }),
    record({ stage: 'replaced' }),
    names,
    [],
  );

  const pod = (plan: Detachment) => plan.attachment.pod;
  plans('trusts the pod of CNI_ARGS first', request(), record(), pod, {
    namespace: 'default',
    name: 'web',
    uid: 'uid-2',
  });
  plans('falls back to the pod of the record', request({ args: NO_ARGS }), record(), pod, recorded.pod);
  plans('falls back to the pod of the alias', request({ args: NO_ARGS }), LABELLED, pod, labelled.pod);
  plans(
    'takes the uid of the record if CNI_ARGS have none',
    request({ args: { ...ARGS, podUid: undefined } }),
    record(),
    pod,
    recorded.pod,
  );
  plans(
    'has no pod if ADD was rejected: the endpoint is another network’s',
    request(),
    { kind: 'rejected' },
    pod,
    undefined,
  );
  plans('has no pod if nothing names one', request({ args: NO_ARGS }), UNKNOWN, pod, undefined);

  const cniArgs = (plan: Detachment) => plan.attachment.cniArgs;
  plans('passes CNI_ARGS of the request if they name a pod', request(), record(), cniArgs, 'from the request');
  plans(
    'passes the recorded CNI_ARGS if the request names no pod',
    request({ args: NO_ARGS }),
    record(),
    cniArgs,
    'from the record',
  );
  plans(
    'passes CNI_ARGS of the request if nothing is recorded',
    request({ args: NO_ARGS }),
    UNKNOWN,
    cniArgs,
    'from the request',
  );

  const release = (plan: Detachment) => plan.attachment.release;
  plans('releases the lease as the record says', request(), record(), release, recorded.release);
  plans(
    'releases the lease by the configuration without a record',
    request(),
    UNKNOWN,
    (plan) => release(plan).type,
    'host-local',
  );

  const path = (plan: Detachment) => plan.attachment.sandboxPath;
  plans(
    'takes the sandbox of the request, never the recorded one',
    request({ sandboxPath: '/run/netns/now' }),
    record(),
    path,
    '/run/netns/now',
  );
  plans('has no sandbox path if the runtime gives none', request(), record(), path, '');

  const unlabelled = (plan: Detachment) => plan.ifUnlabelled;
  plans(
    'owns an unlabelled host interface if a killed ADD left it',
    request(),
    record({ stage: 'attaching' }),
    unlabelled,
    'ours',
  );
  plans('leaves an unlabelled host interface alone after ADD', request(), record(), unlabelled, 'foreign');
  plans('leaves an unlabelled host interface alone without a record', request(), UNKNOWN, unlabelled, 'foreign');
  plans(
    'leaves an unlabelled host interface alone if another one is labelled',
    request(),
    LABELLED,
    unlabelled,
    'foreign',
  );

  const predecessor = (plan: Detachment) => plan.predecessor;
  plans(
    'stops an ADD that is running',
    request(),
    record({ stage: 'attaching', isInProgress: true }),
    predecessor,
    'running',
  );
  plans(
    'ends the IPAM plugin of an ADD that was killed',
    request(),
    record({ stage: 'attaching' }),
    predecessor,
    'killed',
  );
  plans(
    'treats an ADD that returns its result as finished',
    request(),
    record({ stage: 'returning', isInProgress: true }),
    predecessor,
    'finished',
  );
  for (const stage of ['returning', 'superseded'] as const) {
    plans(
      `ends the IPAM plugin of an ADD that was killed: ${stage}`,
      request(),
      record({ stage }),
      predecessor,
      'killed',
    );
  }
  plans('notes that it has begun after a finished ADD', request(), record(), predecessor, 'finished');
  plans('notes nothing again when it is repeated', request(), record({ stage: 'detaching' }), predecessor, 'none');
  plans('has no predecessor without a record', request(), UNKNOWN, predecessor, 'none');
  plans('has no predecessor if only an alias is left', request(), LABELLED, predecessor, 'none');
});

describe('the other detachments', () => {
  const one = { hostInterfaceNames: ['calirecord'] };
  it('planUndo leaves an unlabelled interface alone: another program has created it in the meantime', () =>
    expect(planUndo(recorded)).toEqual({ attachment: recorded, ...one, ifUnlabelled: 'foreign', predecessor: 'none' }));
  it('planRecordedDetachment of a killed ADD ends its IPAM plugin and owns an unlabelled interface', () =>
    expect(planRecordedDetachment(record({ stage: 'attaching' }))).toEqual({
      attachment: recorded,
      ...one,
      ifUnlabelled: 'ours',
      predecessor: 'killed',
    }));
  it('planRecordedDetachment of a replaced attachment has no host interface', () =>
    expect(planRecordedDetachment(record({ stage: 'replaced' }))).toMatchObject({ hostInterfaceNames: [] }));
  it('planRecordedDetachment of a finished ADD leaves an unlabelled interface alone', () =>
    expect(planRecordedDetachment(record())).toMatchObject({ ...one, ifUnlabelled: 'foreign', predecessor: 'none' }));
  it('planLabelledDetachment removes labelled interfaces only', () =>
    expect(planLabelledDetachment(labelled, [labelled])).toMatchObject({
      hostInterfaceNames: ['calilabelled'],
      ifUnlabelled: 'foreign',
    }));
});
