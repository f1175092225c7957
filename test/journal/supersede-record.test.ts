import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { formatRecord, parseRecord } from '../../src/journal/record.ts';
import { supersedeRecord } from '../../src/journal/supersede-record.ts';
import type { AttachmentStage } from '../../src/plan/detachment.ts';
import { makeFolder } from '../log/make-folder.ts';
import { attachment } from '../support/builders/attachment.ts';

const WEB = attachment();
const PROCESS = { pid: 4711, startTicks: '384645' };

/** The stage of a record after it was superseded, and the answer. */
function supersede(stage: AttachmentStage | 'none') {
  const folder = makeFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  const path = join(folder.path, 'record');
  if (stage === 'none') return [supersedeRecord(path, WEB)];
  const boot = { bootId: 'b1', hostNetns: 'cookie:1' };
  writeFileSync(path, formatRecord({ attachment: WEB, stage, boot, process: PROCESS }));
  const answer = supersedeRecord(path, WEB);
  const record = parseRecord(readFileSync(path, 'utf8'), WEB.id, WEB.network);
  expect(record).toMatchObject({ attachment: WEB, boot, process: PROCESS });
  return [answer, record?.stage];
}

const answers = (stage: AttachmentStage | 'none', ...expected: readonly string[]) =>
  it(`the record of stage ${stage}: ${expected.join(', ')}`, () => expect(supersede(stage)).toEqual(expected));
answers('attaching', 'superseded', 'superseded');
answers('superseded', 'superseded', 'superseded');
answers('replaced', 'finished', 'replaced');
answers('returning', 'finished', 'superseded');
answers('attached', 'finished', 'attached');
answers('detaching', 'finished', 'detaching');
answers('none', 'finished');
