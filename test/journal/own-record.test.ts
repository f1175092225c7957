import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openOwnRecord } from '../../src/journal/own-record.ts';
import { formatRecord, parseRecord } from '../../src/journal/record.ts';
import { ownIdentity } from '../../src/system/process-identity.ts';
import { makeFolder } from '../log/make-folder.ts';
import { attachment, attachmentId } from '../support/builders/attachment.ts';

const TEXT = formatRecord({
  attachment: attachment(),
  stage: 'attaching',
  boot: { bootId: 'b1', hostNetns: 'cookie:1' },
  process: ownIdentity(),
});

function writeRecord(): string {
  const folder = makeFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  const path = join(folder.path, 'record');
  writeFileSync(path, TEXT);
  return path;
}

describe('an own record', () => {
  it('changes nothing but its stage, and stays as long', () => {
    const path = writeRecord();
    const own = openOwnRecord(path, TEXT);
    for (const stage of ['returning', 'attached'] as const) {
      own?.writeStage(stage);
      const text = readFileSync(path, 'utf8');
      expect(text).toHaveLength(TEXT.length);
      expect(parseRecord(text, attachmentId(), 'net')).toMatchObject({ attachment: attachment(), stage });
    }
  });

  const loses = (what: string, change: (path: string) => void) =>
    it(`has lost its name, and does not come back, after it was ${what}`, () => {
      const path = writeRecord();
      const own = openOwnRecord(path, TEXT);
      expect(own?.hasName()).toBe(true);
      change(path);
      own?.writeStage('attached');
      expect(own?.hasName()).toBe(false);
      expect(openOwnRecord(path, TEXT)).toBeUndefined();
    });
  loses('removed', (path) => rmSync(path));
  loses('replaced', (path) => {
    writeFileSync(`${path}.new`, '');
    renameSync(`${path}.new`, path);
  });
});
