import { describe, expect, it } from 'vitest';
import { formatRecord, parseRecord, type AttachmentRecord } from '../../src/journal/record.ts';
import { recordFacts } from '../support/a-record.ts';

const RECORD: AttachmentRecord = {
  ...recordFacts(),
  stage: 'attaching',
  bootId: '656c1905-085a-4ece-b130-36a90bb9d363',
  process: { pid: 4711, startTicks: '384645' },
};
const TEXT = formatRecord(RECORD);
const overrides = (change: object): string => JSON.stringify({ ...JSON.parse(TEXT), ...change });

describe('a record', () => {
  const survives = (what: string, record: AttachmentRecord) =>
    it(`is read as it was written: ${what}`, () => expect(parseRecord(formatRecord(record))).toEqual(record));
  survives('an attachment of a pod', RECORD);
  survives('a network without pods', { ...RECORD, pod: undefined, podUid: undefined });
  survives('a stage that follows', { ...RECORD, stage: 'endpoint' });
  survives('an environment of any characters', { ...RECORD, cniArgs: 'a="\n\té\u{1f600}', sandboxPath: '/run/a\nb' });

  it('is one line', () => expect(TEXT).toMatch(/^\{[^\n]*\}\n$/));

  it('keeps nothing that a later version has put beside it', () =>
    expect(parseRecord(overrides({ later: true }))).toEqual(RECORD));
});

describe('no record is', () => {
  const none = (what: string, text: string) => it(what, () => expect(parseRecord(text)).toBeUndefined());
  none('an empty file: its power went away', '');
  none('zeros: so did its blocks', '\0'.repeat(200));
  none('one that is cut off in the middle', TEXT.slice(0, TEXT.length / 2));
  none('one that is cut off at its end', TEXT.slice(0, -2));
  none('one with another behind it', TEXT + TEXT);
  none('a list', '[]');
  none('a number', '1');
  none('an empty object', '{}');
  none('one of a later format', overrides({ format: 2 }));
  none('one without a format', overrides({ format: undefined }));
  none('one of an unknown stage', overrides({ stage: 'detached' }));
  none('one without a boot', overrides({ bootId: undefined }));
  none('one without a process', overrides({ process: undefined }));
  none('one of process 0, which would be everybody', overrides({ process: { pid: 0, startTicks: '1' } }));
  none('one of process -1, which would be everybody', overrides({ process: { pid: -1, startTicks: '1' } }));
  none('one of a process whose id is text', overrides({ process: { pid: '../self', startTicks: '1' } }));
  none('one with what no environment has: NUL', overrides({ cniArgs: 'a=\0' }));
  none('one without a host interface', overrides({ hostInterface: undefined }));
  none('one that cannot be released', overrides({ release: undefined }));
  none('one whose delegate is a path', overrides({ release: { type: '../evil', config: {} } }));
  none('one whose delegate has no configuration', overrides({ release: { type: 'host-local' } }));
});
