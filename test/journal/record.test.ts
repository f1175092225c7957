import { describe, expect, it } from 'vitest';
import { formatRecord, parseRecord, type AttachmentRecord } from '../../src/journal/record.ts';
import { attachment, attachmentId } from '../support/builders/attachment.ts';

const ID = attachmentId();
const RECORD: AttachmentRecord = {
  attachment: attachment(),
  stage: 'attaching',
  boot: { bootId: '656c1905-085a-4ece-b130-36a90bb9d363', hostNetns: 'cookie:1' },
  process: { pid: 4711, startTicks: '384645' },
};
const TEXT = formatRecord(RECORD);
const changed = (change: object): string => JSON.stringify({ ...JSON.parse(TEXT), ...change });

describe('parseRecord', () => {
  const reads = (what: string, record: AttachmentRecord) =>
    it(`reads what formatRecord wrote: ${what}`, () =>
      expect(parseRecord(formatRecord(record), ID, 'net')).toEqual(record));
  reads('an attachment of a pod', RECORD);
  reads('a network without pods', { ...RECORD, attachment: attachment({ pod: undefined }) });
  reads('a later stage', { ...RECORD, stage: 'endpoint' });
  reads('an environment of any characters', {
    ...RECORD,
    attachment: attachment({ cniArgs: 'a="\n\té\u{1f600}', sandboxPath: '/run/a\nb' }),
  });

  it('reads a record as version 0.1.0 wrote it', () => {
    const text =
      '{"format":1,"sandboxPath":"/var/run/netns/web","hostInterface":"cali68caf03a5f4",' +
      '"cniArgs":"K8S_POD_NAMESPACE=default;K8S_POD_NAME=web","pod":{"namespace":"default","name":"web"},"podUid":"uid-1",' +
      '"release":{"type":"host-local","config":{"cniVersion":"1.0.0","name":"net"},"families":[]},"stage":"attaching",' +
      '"bootId":"656c1905-085a-4ece-b130-36a90bb9d363","process":{"pid":4711,"startTicks":"384645"}}\n';
    expect(parseRecord(text, ID, 'net')).toEqual({ ...RECORD, boot: { ...RECORD.boot, hostNetns: undefined } });
  });

  it('ignores what a later version adds', () =>
    expect(parseRecord(changed({ later: true }), ID, 'net')).toEqual(RECORD));

  const rejects = (what: string, text: string) =>
    it(`rejects ${what}`, () => expect(parseRecord(text, ID, 'net')).toBeUndefined());
  rejects('an empty file, as a power failure leaves it', '');
  rejects('zeros, as a power failure leaves them', '\0'.repeat(200));
  rejects('a record that is cut off in the middle', TEXT.slice(0, TEXT.length / 2));
  rejects('a record that is cut off at its end', TEXT.slice(0, -2));
  rejects('two records', TEXT + TEXT);
  rejects('a list', '[]');
  rejects('a number', '1');
  rejects('an empty object', '{}');
  rejects('a later format', changed({ format: 2 }));
  rejects('a missing format', changed({ format: undefined }));
  rejects('an unknown stage', changed({ stage: 'detached' }));
  rejects('a missing boot id', changed({ bootId: undefined }));
  rejects('a missing process', changed({ process: undefined }));
  rejects('process 0, which kill(2) takes as a process group', changed({ process: { pid: 0, startTicks: '1' } }));
  rejects('process -1, which kill(2) takes as every process', changed({ process: { pid: -1, startTicks: '1' } }));
  rejects('a process id that is text', changed({ process: { pid: '../self', startTicks: '1' } }));
  rejects('a NUL, which no environment variable contains', changed({ cniArgs: 'a=\0' }));
  rejects('a missing host interface', changed({ hostInterface: undefined }));
  rejects('a missing IPAM configuration', changed({ release: undefined }));
  rejects('an IPAM plugin that is a path', changed({ release: { type: '../evil', config: {} } }));
  rejects('an IPAM plugin without a configuration', changed({ release: { type: 'host-local' } }));
});

describe('formatRecord', () => {
  it('writes one line', () => expect(TEXT).toMatch(/^\{[^\n]*\}\n$/));
});
